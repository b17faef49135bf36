import assert from 'node:assert/strict';
import fc from 'fast-check';
import { tokenize } from './lexer.ts';
import { parseStatements } from './parse-tree.ts';
import { Source } from './source.ts';
import { statementRanges } from './statement-ranges.ts';

function split(text: string): readonly string[] {
  const tokens = tokenize(text, { standardConformingStrings: true });
  assert.ok(tokens, text);
  const source = new Source(text, tokens);
  return statementRanges(source).map((range) => source.slice(range));
}

const body = `CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC
  SELECT CASE WHEN a > 1 THEN 1 ELSE CASE a WHEN 0 THEN 0 END END; SELECT (1); END`;

const statements: readonly string[] = [
  ...[
    'SELECT 1',
    "SELECT 'a;b', E'\\';', $$;$$, $x$;$$;$x$",
    'SELECT "a;b"',
    'SELECT /* ; */ 1 -- ;\n',
  ],
  ...[
    'SELECT (1)',
    'SELECT ARRAY[1]',
    'BEGIN',
    'COMMIT',
    'END',
    'SELECT CASE WHEN a THEN b END',
    body,
  ],
  ...[
    'CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)',
    'SELECT atomic, begin_ FROM t',
  ],
  ...[
    'CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC END',
    'INSERT INTO t VALUES (1)',
    'SELECT a AS case',
  ],
];

describe('statementRanges', () => {
  it('is empty for a text without statements', () => {
    for (const text of ['', ' ', ';', ';;;', '-- a;\n', '/* ; */ ; '])
      assert.deepEqual(split(text), []);
  });

  it('splits at semicolons outside brackets, literals and bodies', () => {
    for (const [index, first] of statements.entries()) {
      const second = statements[(index + 5) % statements.length]!;
      const text = `;${first};;\n${second} ; `;
      assert.deepEqual(
        split(text),
        [first, second].map((each) => each.replace(/ -- ;\n$/, '')),
        text,
      );
    }
  });

  it('leaves the last statement its end without a semicolon', () => {
    assert.deepEqual(split('SELECT 1; SELECT 2'), ['SELECT 1', 'SELECT 2']);
  });

  it('agrees with the parser about how many there are and where they end', async () => {
    const separator = fc.constantFrom(';', '; ', ';;', ' ; /* ; */ ', ';\n--;\n');
    const text = fc
      .array(fc.tuple(fc.constantFrom(...statements), separator), { maxLength: 8 })
      .map((parts) => parts.map((part) => part.join('')).join(''));
    await fc.assert(
      fc.asyncProperty(text, async (drawn) => {
        const parsed = drawn === '' ? [] : ((await parseStatements(drawn)) ?? []);
        const bytes = Buffer.from(drawn);
        const texts = parsed.map(({ startByte, byteLength }) => {
          const end = byteLength === 0 ? bytes.length : startByte + byteLength;
          return bytes.toString('utf8', startByte, end);
        });
        assert.equal(texts.length, split(drawn).length, drawn);
        for (const [index, own] of split(drawn).entries()) {
          assert.ok(texts[index]?.includes(own), `${own} in ${texts[index]}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});
