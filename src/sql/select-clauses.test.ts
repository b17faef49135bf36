import assert from 'node:assert/strict';
import { tokenize } from './lexer.ts';
import { enclosingSelect, readSelectClauses, type SelectClauses } from './select-clauses.ts';
import { Source, type TokenRange } from './source.ts';

type Clauses = Partial<Record<keyof SelectClauses, string>>;

/** The clauses of the SELECT around the token that `here` names, as text. */
function clausesOf(text: string, here: string = 'here'): Clauses {
  const tokens = tokenize(text, { standardConformingStrings: true });
  assert.ok(tokens, text);
  const source = new Source(text, tokens);
  const at = tokens.findIndex(({ name }) => name === here);
  assert.ok(at >= 0, text);
  const clauses = readSelectClauses(source, enclosingSelect(source, at));
  const texts = Object.entries(clauses)
    .filter((entry): entry is [string, TokenRange] => entry[1] !== undefined)
    .map(([name, range]) => [name, source.slice(range)]);
  return Object.fromEntries(texts) as Clauses;
}

describe('readSelectClauses', () => {
  it('finds every clause in its place', () => {
    const text =
      'SELECT DISTINCT ON (a, b) here, c INTO TEMP x FROM t, u WHERE p GROUP BY a, b HAVING q ' +
      'WINDOW w AS (ORDER BY a) ORDER BY a DESC LIMIT 1 OFFSET 2 FOR UPDATE';
    assert.deepEqual(clausesOf(text), {
      whole: text,
      targets: 'here, c',
      distinctOn: 'a, b',
      into: 'INTO TEMP x',
      from: 'FROM t, u',
      where: 'WHERE p',
      groupBy: 'GROUP BY a, b',
      having: 'HAVING q',
      window: 'WINDOW w AS (ORDER BY a)',
      orderBy: 'ORDER BY a DESC',
      limit: 'LIMIT 1 OFFSET 2 FOR UPDATE',
    });
  });

  it('does not take what is inside brackets for clauses', () => {
    const clauses = clausesOf(
      'SELECT here, extract(year FROM ts), (SELECT 1 FROM u WHERE v GROUP BY w LIMIT 1), ' +
        "trim(BOTH 'x' FROM s), sum(a ORDER BY b) OVER (ORDER BY c), " +
        'a[(SELECT 1 FROM t)] FROM t WHERE z',
    );
    assert.equal(clauses.from, 'FROM t');
    assert.equal(clauses.where, 'WHERE z');
    assert.equal(clauses.groupBy, undefined);
    assert.equal(clauses.orderBy, undefined);
  });

  it('does not take IS DISTINCT FROM for FROM', () => {
    const clauses = clausesOf('SELECT here IS DISTINCT FROM b, a IS NOT DISTINCT FROM c FROM t');
    assert.equal(clauses.targets, 'here IS DISTINCT FROM b, a IS NOT DISTINCT FROM c');
    assert.equal(clauses.from, 'FROM t');
  });

  it('does not take names for clauses', () => {
    const clauses = clausesOf(
      'SELECT here, t.from, "where", a AS having, b AS "limit" FROM t.order',
    );
    assert.equal(clauses.targets, 'here, t.from, "where", a AS having, b AS "limit"');
    assert.equal(clauses.from, 'FROM t.order');
    assert.equal(clauses.orderBy, undefined);
    assert.equal(clauses.limit, undefined);
  });

  it('leaves ALL and DISTINCT out of the targets', () => {
    assert.equal(clausesOf('SELECT ALL here FROM t').targets, 'here');
    assert.equal(clausesOf('SELECT DISTINCT here FROM t').targets, 'here');
    assert.equal(clausesOf('SELECT DISTINCT ON ((a), b) here').targets, 'here');
  });

  it('ends where the level ends', () => {
    const ends: readonly (readonly [string, string])[] = [
      ['SELECT here FROM t UNION ALL SELECT 2', 'SELECT here FROM t'],
      ['SELECT 1 UNION SELECT here FROM t', 'SELECT here FROM t'],
      ['SELECT here FROM t INTERSECT SELECT 2', 'SELECT here FROM t'],
      ['SELECT here FROM t EXCEPT SELECT 2 ORDER BY 1', 'SELECT here FROM t'],
      ['(SELECT here FROM t) ORDER BY 1 LIMIT 1', 'SELECT here FROM t'],
      ['SELECT 1; SELECT here FROM t; SELECT 3', 'SELECT here FROM t'],
      ['INSERT INTO x SELECT here FROM t ON CONFLICT DO NOTHING', 'SELECT here FROM t'],
      ['INSERT INTO x SELECT here FROM t ON CONFLICT (a) DO NOTHING', 'SELECT here FROM t'],
      ['INSERT INTO x SELECT here FROM t ON CONFLICT (a) WHERE b DO NOTHING', 'SELECT here FROM t'],
      [
        'INSERT INTO x SELECT here FROM t ON CONFLICT ON CONSTRAINT c DO NOTHING',
        'SELECT here FROM t',
      ],
      ['INSERT INTO x SELECT here FROM t RETURNING 1', 'SELECT here FROM t'],
      ['CREATE TABLE x AS SELECT here FROM t WITH NO DATA', 'SELECT here FROM t'],
      ['CREATE TABLE x AS SELECT here FROM t WITH DATA', 'SELECT here FROM t'],
      ['CREATE VIEW x AS SELECT here FROM t WITH CHECK OPTION', 'SELECT here FROM t'],
      ['CREATE VIEW x AS SELECT here FROM t WITH LOCAL CHECK OPTION', 'SELECT here FROM t'],
      ['WITH w AS (SELECT here FROM t) SELECT 1 FROM w', 'SELECT here FROM t'],
      ['SELECT 1 FROM (SELECT here FROM t) AS s WHERE a', 'SELECT here FROM t'],
      ['SELECT ARRAY(SELECT here FROM t) FROM u', 'SELECT here FROM t'],
    ];
    for (const [text, whole] of ends) assert.equal(clausesOf(text).whole, whole, text);
  });

  it('does not end at ON in a join nor at WITH in FROM', () => {
    const text =
      'SELECT here FROM t JOIN u ON a = b LEFT JOIN f(1) WITH ORDINALITY AS o ON true WHERE c';
    assert.equal(clausesOf(text).whole, text);
    assert.equal(clausesOf(text).where, 'WHERE c');
  });

  it('does not end at a column named conflict in a join', () => {
    for (const condition of ['conflict = b', 'conflict', 'conflict (a) WHERE b', 'conflict (a)']) {
      const text = `SELECT here FROM t JOIN u ON ${condition} GROUP BY a`;
      assert.equal(clausesOf(text).whole, text);
      assert.equal(clausesOf(text).groupBy, 'GROUP BY a');
    }
  });

  it('knows clauses that begin with FETCH, OFFSET and FOR', () => {
    for (const limit of [
      'FETCH FIRST 1 ROW ONLY',
      'OFFSET 1 ROWS',
      'FOR SHARE OF t',
      'LIMIT ALL',
    ]) {
      const clauses = clausesOf(`SELECT here FROM t ORDER BY 1 ${limit}`);
      assert.equal(clauses.limit, limit);
      assert.equal(clauses.orderBy, 'ORDER BY 1');
    }
  });

  it('does not take GROUP and ORDER without BY for clauses', () => {
    const clauses = clausesOf("SELECT here, sum(a) WITHIN GROUP (ORDER BY b), 'group by' FROM t");
    assert.equal(clauses.groupBy, undefined);
    assert.equal(clauses.targets, "here, sum(a) WITHIN GROUP (ORDER BY b), 'group by'");
  });

  it('keeps what stands between clauses in the clause before', () => {
    const clauses = clausesOf(
      'SELECT here FROM t TABLESAMPLE system (1) AS s WHERE a -- FROM\n AND b',
    );
    assert.equal(clauses.from, 'FROM t TABLESAMPLE system (1) AS s');
    assert.equal(clauses.where, 'WHERE a -- FROM\n AND b');
  });
});

describe('enclosingSelect', () => {
  it('is -1 outside of any SELECT', () => {
    const text = 'UPDATE t SET a = (SELECT 1), b = here';
    const tokens = tokenize(text, { standardConformingStrings: true })!;
    const at = tokens.findIndex(({ name }) => name === 'here');
    assert.equal(enclosingSelect(new Source(text, tokens), at), -1);
  });

  it('skips subqueries beside the token', () => {
    const text = 'SELECT (SELECT 1 FROM u), here FROM (SELECT 2) AS s';
    assert.equal(clausesOf(text).whole, text);
  });

  it('takes a label for no keyword', () => {
    const texts = [
      'SELECT count(*) SELECT FROM t GROUP BY here',
      'SELECT 1 select, 2 AS select, t.select, f(here) FROM t',
    ];
    for (const text of texts) assert.equal(clausesOf(text).whole, text);
    const arm = 'SELECT 1 select, here FROM t';
    for (const before of [
      'SELECT 1 UNION ALL ',
      'SELECT 1 select; ',
      'SELECT ARRAY(SELECT 2) EXCEPT ',
    ]) {
      assert.equal(clausesOf(before + arm).whole, arm);
    }
    const view = 'CREATE SCHEMA s CREATE VIEW v AS SELECT 1 CREATE VIEW w AS SELECT here FROM t';
    assert.equal(clausesOf(view).targets, 'here');
  });
});
