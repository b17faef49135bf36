import assert from 'node:assert/strict';
import fc from 'fast-check';
import { loadModule, type ScanToken, scanSync } from 'libpg-query';
import { tokenize } from './lexer.ts';

type Stretch = readonly [start: number, end: number];

const standard = { standardConformingStrings: true };

/**
 * Tokens of Postgres's own scanner, in UTF-16 units; null where it reports an error. So is a single
 * character that no rule of the grammar takes (a scanner rule hands it on), and `$1a`, which the
 * server refuses but this build of its scanner does not. Undefined where nobody can tell.
 */
function scanned(text: string): readonly Stretch[] | null | undefined {
  if (text === '') return [];
  let all: readonly ScanToken[];
  try {
    all = scanSync(text).tokens;
  } catch (error) {
    // A form feed in a comment breaks the report of the scanner, not the scanner.
    return /control character/.test(String(error)) ? undefined : null;
  }
  const tokens = all.filter(({ tokenName }) => !tokenName.endsWith('_COMMENT'));
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    const isJunk = token.tokenName === 'PARAM' && next?.start === token.end;
    if (isJunk && /^[A-Za-z_\u0080-\uffff]/.test(next?.text ?? '')) return null;
    if (/^[\\{}$]$/.test(token.text)) return null;
  }
  const bytes = Buffer.from(text);
  const unit = (byte: number) => bytes.toString('utf8', 0, byte).length;
  return tokens.map(({ start, end }) => [unit(start), unit(end)]);
}

function ours(text: string): readonly Stretch[] | null {
  const tokens = tokenize(text, standard);
  return tokens === null ? null : tokens.map(({ start, end }) => [start, end]);
}

function agrees(text: string): void {
  // That build keeps comments as tokens, so it does not join literals across them.
  if (/'\s*--/.test(text)) return;
  const expected = scanned(text);
  if (expected !== undefined) assert.deepEqual(ours(text), expected, JSON.stringify(text));
}

const tricky: readonly string[] = [
  '',
  ' \t\n\r\f\v ',
  "SELECT 'it''s', E'it\\'s', e'\\\\', E'\\'' FROM t",
  "SELECT 'a\\', 'b'",
  "SELECT 'a' 'b'",
  "SELECT 'a'\n'b'",
  "SELECT 'a'\n/* comment */ 'b'",
  "SELECT 'a'--'b'\n",
  "SELECT E'a'\n'b\\'c'",
  "SELECT 'a'\n\n\t'b'\n'c'",
  "SELECT 'a'\n-",
  "SELECT 'a'\n--",
  "SELECT U&'d\\0061t', u&'x' UESCAPE '!', U&\"d\\0061t\"",
  "SELECT U & 'x', U&x, u&",
  "SELECT B'0101', b'', X'1F', x'1'",
  "SELECT B'01'\n'10'",
  "SELECT N'national', n'x'",
  "SELECT N'a'\n'b'",
  "SELECT N 'a', nchar 'a'",
  "SELECT ex'a', be'a', aE'\\''",
  'SELECT "a""b", "select", "é"',
  'SELECT ""',
  'SELECT "a',
  "SELECT 'a",
  "SELECT E'a\\'",
  "SELECT E'\\",
  "SELECT E'\\u00e9', E'\\U0001F600', E'\\ud83d\\ude00', E'\\uD83D\\U0000DE00'",
  "SELECT E'\\u12'",
  "SELECT E'\\u&'",
  "SELECT E'\\U0001F60'",
  "SELECT E'\\U00110000'",
  "SELECT E'\\ud83d'",
  "SELECT E'\\ud83dx'",
  "SELECT E'\\ud83d\\u0041'",
  "SELECT E'\\ude00'",
  'SELECT $$a$$, $x$ $$ $x$, $x$a$X$b$x$',
  'SELECT $é$ $é$, $_1$ $_1$',
  'SELECT $$a',
  'SELECT $a$ $b$',
  'SELECT $a',
  'SELECT $ 1',
  'SELECT $1, $23,$4',
  'SELECT $1$2',
  'SELECT $1a',
  'SELECT $1$$a$$',
  'SELECT a$1, a$$b$$, a$b$c$b$',
  'SELECT $1é',
  'SELECT /* a /* nested */ b */ 1',
  'SELECT /* a /* b */ 1',
  'SELECT /*/ 1 */ 2',
  'SELECT /**/ 1 /***/ 2 /*/**/*/ 3',
  'SELECT */ 1',
  'SELECT 1 -- to the end',
  'SELECT 1 --\r2 --\n3',
  'SELECT 1---2',
  'SELECT 1 - -2, 1 <-- c\n 2',
  'SELECT 1 +/* c */ 2, 1 */* c */ 2',
  'SELECT 1 @- 2, 1 <- 2, 1 =- 2, 1 +- 2, 1 *-+ 2, 1 @#-+ 2',
  'SELECT a<=b, a>=b, a<>b, a!=b, a=>b, a->b, a->>b, a#>>b, a@>b, a&&b, a||b, a|/b, a?|b',
  'SELECT a::int, a :: int, a:b, a:=b, a:::b, a::=b',
  'SELECT a[1:2], a[:], a[::int]',
  'SELECT 1..2, 1.., .5, 5., 5.e1, 1.5.3, .5.5, 1...2',
  'SELECT 1e5, 1e+5, 1e-5, 1E5, 1.e5, .1e5',
  'SELECT 1e',
  'SELECT 1e+',
  'SELECT 1ea',
  'SELECT 1a',
  'SELECT 1_000, 1_0.0_1, 0x1F, 0X_1f, 0o17, 0O_1, 0b101, 0B_1',
  'SELECT 1_',
  'SELECT 1__0',
  'SELECT 0x',
  'SELECT 0xg',
  'SELECT 0b2',
  'SELECT 0b112',
  'SELECT 0o78',
  'SELECT 12_1$1',
  'SELECT 0o8',
  'SELECT 0b1_',
  'SELECT 1._5',
  'SELECT 1.5_',
  'SELECT 100e1_0',
  'SELECT _1, _a$b, A1',
  'SELECT étumble(x), Éa, 表.列, "表"',
  'SELECT 😀, \'😀\', "😀", $😀$ $😀$',
  'SELECT \u00a0, a\u00a0b',
  'SELECT \u2003 1',
  'SELECT \\a',
  'SELECT {a}',
  "SELECT '\\'",
  'SELECT a.*, a.b.c, (a).b, a . b',
  'SELECT (1); SELECT [2];;',
  '~ ! @ # ^ & | ` ? + - * / % < > =',
  '<>!= => := :: .. , . ; : ( ) [ ]',
  "TUMBLE(ts, INTERVAL '1 minute')",
];

const fragments: readonly string[] = [
  ...["'", "''", '"', '""', "E'", "e'", "U&'", "u&'", 'U&"', "B'", "X'", "N'", "n'", '\\', "\\'"],
  ...['$$', '$a$', '$é$', '$1', '$', '$2a', '$_$', '/*', '*/', '--', '\n', '\r', ' ', '\t'],
  ...[
    '+',
    '-',
    '*',
    '/',
    '<',
    '>',
    '=',
    '~',
    '!',
    '@',
    '#',
    '%',
    '^',
    '&',
    '|',
    '`',
    '?',
    '<=',
    '=>',
  ],
  ...['(', ')', '[', ']', ',', ';', '.', '..', ':', '::', ':=', '{', '}'],
  ...[
    '0',
    '1',
    '12',
    '1.5',
    '.5',
    '1.',
    '1e5',
    '1e',
    'e+3',
    '0x',
    '0x1F',
    '0b1',
    '0o7',
    '1_0',
    '_1',
  ],
  ...[
    'a',
    'E',
    'U',
    'u',
    '&',
    'b',
    'x',
    'N',
    'é',
    '表',
    '😀',
    'select',
    'TUMBLE(',
    'interval',
    'UESCAPE',
  ],
  ...['\u00a0', '\u2028', '\ufeff'],
];

/**
 * Escapes of a zero byte or of one beyond ASCII: what becomes of those is decided by the encoding
 * of the database, after the scanner's rules.
 */
const namesOddBytes = /\\(?:0|[2-7][0-7]{2}|x0|x[89a-f][0-9a-f])/i;

describe('tokenize', () => {
  before(() => loadModule());

  it("cuts tricky texts as Postgres's scanner does", () => {
    for (const text of tricky) agrees(text);
  });

  it('cuts every prefix of them so too', () => {
    for (const text of tricky) {
      const characters = [...text];
      for (let length = 0; length < characters.length; length += 1) {
        agrees(characters.slice(0, length).join(''));
      }
    }
  });

  it('joins literals across a line break and comments as the server does', () => {
    const joined = ["'a'--c\n'b'", "'a' -- c\n'b'", "'a'\n--c\n--d\r\n 'b'", "E'a'--c\n'\\''"];
    for (const text of joined) assert.deepEqual(ours(text), [[0, text.length]], text);
    const apart = ["'a' 'b'", "'a'/* c */\n'b'", "'a'\n/* c */'b'", "'a'\n-- c 'b'"];
    for (const text of apart) assert.equal(ours(text)?.[0]?.[1], 3, text);
  });

  it('cuts soups of SQL fragments so too', () => {
    const soup = fc.array(fc.constantFrom(...fragments), { maxLength: 12 });
    fc.assert(
      fc.property(soup, (parts) => {
        const text = parts.join('');
        if (!namesOddBytes.test(text)) agrees(text);
      }),
      { numRuns: 20_000 },
    );
  });

  it('reads escapes so too', () => {
    const parts = [
      '\\',
      '\\u',
      '\\U',
      '0041',
      'd83d',
      'DE00',
      '0010ffff',
      '00110000',
      'x4',
      "'",
      "E'",
    ];
    const soup = fc.array(fc.constantFrom(...parts), { maxLength: 8 });
    fc.assert(
      fc.property(soup, (escapes) => {
        const text = `E'${escapes.join('')}'`;
        if (!namesOddBytes.test(text)) agrees(text);
      }),
      { numRuns: 10_000 },
    );
  });

  it('cuts arbitrary text so too', () => {
    // Control characters break the report of the scanner, not the scanner.
    const characters = fc.string({ unit: 'binary', maxLength: 20 });
    const text = characters.map((drawn) => drawn.replaceAll(/\p{Cc}/gu, '0'));
    fc.assert(
      fc.property(text, (drawn) => agrees(drawn)),
      { numRuns: 5_000 },
    );
  });

  it('reads backslashes in plain strings when standard_conforming_strings is off', () => {
    const off = { standardConformingStrings: false };
    const names = (text: string) => tokenize(text, off)?.map(({ name }) => name);
    assert.deepEqual(names("'a\\'b' c"), ["'a\\'b'", 'c']);
    assert.equal(names("'a\\'"), undefined);
    // The N prefix leaves an ordinary literal behind it; bit strings know no escapes.
    assert.deepEqual(names("N'a\\'b'")?.at(-1)?.endsWith("'a\\'b'"), true);
    assert.deepEqual(names("B'0\\' c"), ["B'0\\'", 'c']);
    assert.deepEqual(names('"a\\" c'), ['"a\\"', 'c']);
    assert.deepEqual(names('$$a\\$$ c'), ['$$a\\$$', 'c']);
  });

  it('folds only ASCII letters of unquoted words', () => {
    const tokens = tokenize('TUMBLE ÉTé "TUMBLE" E\'X\'', standard);
    assert.deepEqual(
      tokens?.map(({ kind, name }) => [kind, name]),
      [
        ['word', 'tumble'],
        ['word', 'Été'],
        ['quoted', '"TUMBLE"'],
        ['string', "E'X'"],
      ],
    );
  });

  it('looks at a long run of operator characters once', () => {
    const count = 500_000;
    const names = (text: string) => tokenize(text, standard)?.map(({ name }) => name);
    assert.equal(names('+'.repeat(count))?.length, count);
    assert.equal(names(`<${'-+'.repeat(count)}`)?.length, 2 * count + 1);
    assert.deepEqual(
      names(`${'+'.repeat(count)}@+`)?.map((name) => name.length),
      [count + 2],
    );
  });

  it('tells the kinds of tokens apart', () => {
    const tokens = tokenize('a "a" \'a\' $$a$$ 1.5 $1 || :: ( ;', standard);
    assert.deepEqual(
      tokens?.map(({ kind }) => kind),
      [
        ...['word', 'quoted', 'string', 'string', 'number', 'parameter', 'operator'],
        ...['punctuation', 'punctuation', 'punctuation'],
      ],
    );
  });
});
