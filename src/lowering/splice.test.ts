import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PositionMap } from '../contracts/rewriter.ts';
import { apart, Edits, generated, type Pieces, positionsOf, template, textOf } from './splice.ts';

type Drawn = { readonly copied: string; readonly replaced: string; readonly by: string };

const character = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.constantFrom('é', '😀', '', 'a b'),
);
/** Stretches that stay, each with one after it that is replaced. */
const stretches: fc.Arbitrary<readonly Drawn[]> = fc.array(
  fc.record({ copied: character, replaced: character, by: character }),
  { maxLength: 8 },
);

function splice(drawn: readonly Drawn[]): { source: string; edits: Edits } {
  const edits = new Edits();
  let source = '';
  for (const { copied, replaced, by } of drawn) {
    source += copied;
    const start = source.length;
    source += replaced;
    edits.replace(start, source.length, [generated(by, start)]);
  }
  return { source, edits };
}

/** What a position of the sent text is in the client's text, as the contract says. */
function mapped(map: PositionMap, sent: number): number {
  const segment = map.findLast((each) => each.sent <= sent);
  assert.ok(segment);
  return segment.copied ? segment.client + (sent - segment.sent) : segment.client;
}

describe('Edits', () => {
  it('changes nothing outside the replaced stretches', () => {
    fc.assert(
      fc.property(stretches, (drawn) => {
        const { source, edits } = splice(drawn);
        const text = textOf(source, edits.render(0, source.length));
        assert.equal(text, drawn.map(({ copied, by }) => copied + by).join(''));
      }),
      { numRuns: 2_000 },
    );
  });

  it('maps every character of the result back to where it came from', () => {
    fc.assert(
      fc.property(stretches, (drawn) => {
        const { source, edits } = splice(drawn);
        const map = positionsOf(source, edits.render(0, source.length));
        const length = (text: string) => [...text].length;
        let sent = 0;
        let client = 0;
        for (const { copied, replaced, by } of drawn) {
          for (let at = 0; at < length(copied); at += 1) {
            assert.equal(mapped(map, sent + at), client + at);
          }
          sent += length(copied);
          client += length(copied);
          for (let at = 0; at < length(by); at += 1) assert.equal(mapped(map, sent + at), client);
          sent += length(by);
          client += length(replaced);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('renders a part with positions of the whole', () => {
    const source = 'é😀 abc def';
    const edits = new Edits();
    const at = source.indexOf('abc');
    edits.replace(at, at + 3, [generated('xyz', at)]);
    const pieces = edits.render(at - 1, source.length);
    assert.equal(textOf(source, pieces), ' xyz def');
    const map = positionsOf(source, pieces);
    assert.deepEqual(
      [0, 1, 2, 4, 5].map((sent) => mapped(map, sent)),
      [2, 3, 3, 6, 7],
    );
  });

  it('lets a wider edit hide those inside it', () => {
    const source = 'f(g(x), y)';
    const edits = new Edits();
    edits.replace(2, 6, [generated('G', 2)]);
    const inner = edits.render(2, 9);
    edits.replace(0, source.length, template('F<{0}>', 0, inner));
    assert.equal(textOf(source, edits.render(0, source.length)), 'F<G, y>');
    assert.equal(textOf(source, edits.render(2, 6)), 'G');
  });

  it('counts the later of two edits of the same stretch', () => {
    const edits = new Edits();
    edits.replace(0, 1, [generated('first', 0)]);
    edits.replace(0, 1, [generated('second', 0)]);
    assert.equal(textOf('ab', edits.render(0, 2)), 'secondb');
  });

  it('inserts at both ends of a replaced stretch', () => {
    const edits = new Edits();
    edits.replace(2, 4, [generated('XX', 2)]);
    edits.insert(4, ' AS x');
    edits.insert(6, '!');
    assert.equal(textOf('abcdef', edits.render(0, 6)), 'abXX AS xef!');
  });

  it('keeps the edits of a fork to itself', () => {
    const edits = new Edits();
    edits.replace(0, 1, [generated('A', 0)]);
    const fork = edits.fork();
    fork.replace(1, 2, [generated('B', 1)]);
    assert.equal(textOf('abc', edits.render(0, 3)), 'Abc');
    assert.equal(textOf('abc', fork.render(0, 3)), 'ABc');
    assert.equal(edits.touches(1, 2), false);
    assert.equal(fork.touches(1, 2), true);
  });
});

describe('apart', () => {
  const rendered = (source: string, start: number, end: number, by: string) => {
    const edits = new Edits();
    edits.replace(start, end, [generated(by, start)]);
    return textOf(source, apart(source, edits.render(0, source.length)));
  };

  it('puts a blank between words, numbers and strings that would grow together', () => {
    assert.equal(rendered('f(x)AS y', 0, 4, 'w'), 'w AS y');
    assert.equal(rendered('f(x)é', 0, 4, 'w1'), 'w1 é');
    assert.equal(rendered('f(x)"y"', 0, 4, 'w'), 'w "y"');
    assert.equal(rendered('a"x"', 1, 4, 'y'), 'a y');
  });

  it('leaves alone what ends or begins with anything else', () => {
    for (const [source, by] of [
      ['f(x) y', 'w'],
      ['f(x)y', '(w)'],
      ['f(x),y', 'w'],
    ] as const) {
      assert.equal(rendered(source, 0, 4, by), by + source.slice(4));
    }
    assert.equal(textOf('abcd', apart('abcd', new Edits().render(0, 4))), 'abcd');
  });

  it('keeps positions', () => {
    const edits = new Edits();
    edits.replace(0, 4, [generated('w', 0)]);
    const pieces = apart('f(x)AS y', edits.render(0, 8));
    assert.equal(
      mapped(positionsOf('f(x)AS y', pieces), textOf('f(x)AS y', pieces).indexOf('y')),
      7,
    );
  });
});

describe('template', () => {
  it('puts pieces into their places, as often as they are named', () => {
    const copied: Pieces = [{ kind: 'copied', start: 1, end: 3 }];
    const pieces = template('x{1}y{0}{0}', 5, copied, [generated('{0}', 2)]);
    assert.equal(textOf('abcd', pieces), 'x{0}ybcbc');
  });
});
