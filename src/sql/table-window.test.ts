import assert from 'node:assert/strict';
import { tokenize } from './lexer.ts';
import { parseStatements } from './parse-tree.ts';
import { type PlainCalls, plainCalls, type Stretch } from './table-window.ts';

function plain(text: string): PlainCalls {
  const tokens = tokenize(text, { standardConformingStrings: true });
  assert.ok(tokens, text);
  return plainCalls(text, tokens);
}

/** The plain text with runs of blanks as one, for reading. */
function squeezed(text: string): string {
  return plain(text)
    .text.replace(/ +/g, ' ')
    .replaceAll('( ', '(')
    .replaceAll(' ,', ',')
    .replaceAll(' )', ')');
}

function stretches(text: string, found: ReadonlyMap<number, Stretch>): readonly string[] {
  return [...found.values()].map(({ start, end }) => text.slice(start, end));
}

describe('plainCalls', () => {
  it('leaves every other text as it is', () => {
    const texts = [
      "SELECT TUMBLE(ts, INTERVAL '1 hour') FROM t",
      'SELECT descriptor(x), tumble FROM partition_by',
      "SELECT 'TUMBLE(TABLE t, DESCRIPTOR(ts), 1)'",
      'SELECT f(TABLE t)',
      'TABLE tumble',
    ];
    for (const text of texts) {
      const { text: same, partitions, wrappers } = plain(text);
      assert.equal(same, text);
      assert.equal(partitions.size + wrappers.size, 0);
    }
  });

  it('writes the table-valued forms as calls Postgres can parse', async () => {
    const forms = [
      ["FROM TUMBLE(TABLE t, DESCRIPTOR(ts), '1 h')", "FROM TUMBLE(t, ts, '1 h')"],
      [
        "FROM hop ( table s.t , descriptor ( ts ), '1 h', '2 h')",
        "FROM hop (s.t, ts, '1 h', '2 h')",
      ],
      ["FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), '1 h')) AS w", "FROM TUMBLE(t, ts, '1 h') AS w"],
      ["FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), '1 h')", "FROM SESSION(t, ts, '1 h')"],
      [
        "FROM SESSION(TABLE t PARTITION BY (a, b), DESCRIPTOR(ts), '1 h')",
        "FROM SESSION(t, ts, '1 h')",
      ],
    ] as const;
    for (const [form, call] of forms) {
      assert.equal(squeezed(`SELECT 1 ${form}`), `SELECT 1 ${call}`);
      assert.notEqual(await parseStatements(plain(`SELECT 1 ${form}`).text), null, form);
    }
  });

  it('keeps every offset, comments and all', () => {
    const text =
      'SELECT \'é😀\' FROM TABLE(TUMBLE(TABLE /* é */ "Tä" , DESCRIPTOR(\n"😀") , ' +
      "'1 h')) -- TABLE\n JOIN u ON true";
    const answer = plain(text);
    assert.equal(answer.text.length, text.length);
    for (const word of [
      "'é😀'",
      'TUMBLE(',
      '"Tä"',
      '"😀"',
      "'1 h'",
      'JOIN',
      '/* é */',
      '-- TABLE',
    ]) {
      assert.equal(answer.text.indexOf(word), text.indexOf(word), word);
    }
    const tokens = tokenize(answer.text, { standardConformingStrings: true });
    assert.deepEqual(answer.tokens, tokens);
  });

  it('remembers what stands in PARTITION BY', () => {
    const partitionOf = (list: string) => {
      const text = `SELECT 1 FROM SESSION(TABLE t PARTITION BY ${list}, DESCRIPTOR(ts), '1 h')`;
      const { partitions } = plain(text);
      assert.deepEqual([...partitions.keys()], [text.indexOf('SESSION')]);
      return stretches(text, partitions)[0];
    };
    assert.equal(partitionOf('k'), 'k');
    assert.equal(partitionOf('a, b'), 'a, b');
    assert.equal(partitionOf('(a, b)'), 'a, b');
    assert.equal(partitionOf('(a), (b)'), '(a), (b)');
    assert.equal(partitionOf('f(a, g(b)), c'), 'f(a, g(b)), c');
  });

  it('remembers the whole of TABLE(...) around a call', () => {
    const text = "SELECT 1 FROM u, TABLE ( HOP(TABLE t, DESCRIPTOR(ts), '1 h', '2 h') ) AS w";
    const { wrappers } = plain(text);
    assert.deepEqual(stretches(text, wrappers), [
      "TABLE ( HOP(TABLE t, DESCRIPTOR(ts), '1 h', '2 h') )",
    ]);
    assert.deepEqual([...wrappers.keys()], [text.indexOf('HOP')]);
  });

  it('takes several forms in one text', () => {
    const one = "TUMBLE(TABLE a, DESCRIPTOR(x), '1 h')";
    const two = "SESSION(TABLE b PARTITION BY k, DESCRIPTOR(y), '1 h')";
    assert.equal(
      squeezed(`SELECT 1 FROM ${one} AS p JOIN ${two} AS q ON true; SELECT 2 FROM ${one}`),
      "SELECT 1 FROM TUMBLE(a, x, '1 h') AS p JOIN SESSION(b, y, '1 h') AS q ON true; " +
        "SELECT 2 FROM TUMBLE(a, x, '1 h')",
    );
  });

  it('does not fail on forms that are cut off', () => {
    const text =
      "SELECT 1 FROM TABLE(SESSION(TABLE t PARTITION BY (k), DESCRIPTOR(ts), '1 h')) AS w";
    for (let length = 0; length <= text.length; length += 1) {
      const cut = text.slice(0, length);
      const tokens = tokenize(cut, { standardConformingStrings: true });
      if (tokens !== null) assert.equal(plainCalls(cut, tokens).text.length, cut.length, cut);
    }
  });
});
