import type { Random } from './random.ts';
import { type QueryPair, randomQuery } from './random-query.ts';

export type Step = { readonly text: string; readonly values?: readonly string[] };

/** The same work written twice; the rows of the last step are compared, all steps must agree. */
export type CasePair = {
  readonly context: string;
  readonly ours: readonly Step[];
  readonly oracle: readonly Step[];
  readonly isOrdered: boolean;
};

/** The FROM of the query itself, not that of a subquery in its select list. */
const outerFrom = /\sFROM (?=facts AS t|\(SELECT t\.|\w+\(TABLE )/;

type Wrap = (query: string) => readonly string[];

/** Places a query can stand in. Temporary objects are gone after the case. */
const wraps: Readonly<Record<string, Wrap>> = {
  plain: (query) => [query],
  bracketed: (query) => [`((${query}))`],
  subquery: (query) => [`SELECT s.*, 1 AS one FROM (${query}) AS s`],
  counted: (query) => [`SELECT count(*), count(s) FROM (${query}) AS s WHERE s IS NOT NULL`],
  cte: (query) => [`WITH q AS (${query}), r AS MATERIALIZED (SELECT * FROM q) SELECT * FROM r`],
  'cte within a cte': (query) => [`WITH a AS (WITH b AS (${query}) SELECT * FROM b) TABLE a`],
  exists: (query) => [
    `SELECT EXISTS (${query}) AS any, NOT EXISTS (SELECT 1 FROM (${query}) AS s) AS none`,
  ],
  view: (query) => [
    `CREATE TEMPORARY VIEW made AS ${query}`,
    `SELECT attname, atttypid::regtype FROM pg_attribute
     WHERE attrelid = 'made'::regclass ORDER BY attnum`,
    'SELECT * FROM made',
  ],
  'materialized view': (query) => [
    `CREATE MATERIALIZED VIEW made AS ${query} WITH DATA`,
    'TABLE made',
  ],
  'create table as': (query) => [`CREATE TEMPORARY TABLE made AS ${query}`, 'TABLE made'],
  'create table with no data': (query) => [
    `CREATE TABLE made (a) AS ${query} WITH NO DATA`,
    'SELECT * FROM made',
  ],
  'select into': (query) => [query.replace(outerFrom, ' INTO TEMPORARY made FROM '), 'TABLE made'],
  insert: (query) => [
    `CREATE TEMPORARY TABLE made AS SELECT * FROM (${query}) AS s WHERE false`,
    `INSERT INTO made ${query} RETURNING *`,
  ],
  cursor: (query) => [
    `DECLARE made NO SCROLL CURSOR WITHOUT HOLD FOR ${query}`,
    'FETCH ALL FROM made',
  ],
  explain: (query) => [
    `EXPLAIN (COSTS off, TIMING off, SUMMARY off) ${query}`,
    `EXPLAIN ANALYZE ${query}`,
    'SELECT 1',
  ],
  'set operation': (query) => [`(${query}) UNION ALL (${query})`],
  except: (query) => [`(${query}) EXCEPT ALL (${query})`],
  'union distinct': (query) => [`SELECT * FROM (${query}) AS s INTERSECT (${query})`],
};

/** A query in a random place. */
export function randomCase(random: Random, table: string): CasePair {
  const style = random.between(0, 9);
  if (style === 0) return boundCase(random, table);
  if (style === 1) return preparedCase(random, table);
  if (style === 2) return lateralCase(random, table);
  if (style === 3) return correlatedCase(random, table);
  if (style === 4) return joinedCase(random, table);
  const pair = randomQuery(random, table, { canBind: false });
  const context = style < 7 ? 'plain' : random.pick(Object.keys(wraps));
  const steps = (query: string) => (wraps[context] as Wrap)(query).map((text) => ({ text }));
  const keepsOrder = ['plain', 'bracketed', 'cursor'].includes(context);
  return caseOf(context, pair, steps, pair.isOrdered && keepsOrder);
}

function caseOf(
  context: string,
  pair: QueryPair,
  steps: (query: string) => readonly Step[],
  isOrdered: boolean = false,
): CasePair {
  return { context, ours: steps(pair.ours), oracle: steps(pair.oracle), isOrdered };
}

/** Parameters of the extended protocol, their types left open. */
function boundCase(random: Random, table: string): CasePair {
  const pair = randomQuery(random, table, { canBind: true });
  return {
    context: 'bound',
    ours: [{ text: pair.ours, values: pair.values }],
    oracle: [{ text: pair.oracle }],
    isOrdered: pair.isOrdered,
  };
}

function preparedCase(random: Random, table: string): CasePair {
  const pair = randomQuery(random, table, { canBind: true });
  const { values } = pair;
  const types =
    values.length === 0 || random.chance(0.5)
      ? ''
      : ` (${values.map(() => 'interval').join(', ')})`;
  const given = values.length === 0 ? '' : ` (${values.map((value) => `'${value}'`).join(', ')})`;
  const end = { text: 'DEALLOCATE made' };
  return {
    context: 'prepare',
    ours: [{ text: `PREPARE made${types} AS ${pair.ours}` }, { text: `EXECUTE made${given}` }, end],
    oracle: [{ text: `PREPARE made AS ${pair.oracle}` }, { text: 'EXECUTE made' }, end],
    isOrdered: pair.isOrdered,
  };
}

function lateralCase(random: Random, table: string): CasePair {
  const pair = randomQuery(random, table, { canBind: false, outer: 't.k2 IS DISTINCT FROM x.n' });
  const kind = random.pick(['CROSS JOIN LATERAL', 'LEFT JOIN LATERAL']);
  const on = kind.startsWith('LEFT') ? ' ON true' : '';
  return caseOf('lateral', pair, (query) => [
    {
      text: `SELECT x.n, l.* FROM (VALUES (0), (1), (NULL)) AS x (n) ${kind} (${query}) AS l${on}`,
    },
  ]);
}

function correlatedCase(random: Random, table: string): CasePair {
  const pair = randomQuery(random, table, { canBind: false, outer: 't.k2 = x.lk' });
  return caseOf('correlated', pair, (query) => [
    { text: `SELECT x.lbl, (SELECT count(*) FROM (${query}) AS s) AS n FROM labels AS x` },
  ]);
}

/** Two windowed queries side by side. */
function joinedCase(random: Random, table: string): CasePair {
  const left = randomQuery(random, table, { canBind: false });
  const right = randomQuery(random, table, { canBind: false });
  const joined = (l: string, r: string) => [
    { text: `SELECT a.*, (SELECT count(*) FROM (${r}) AS b) AS others FROM (${l}) AS a` },
  ];
  return {
    context: 'joined',
    ours: joined(left.ours, right.ours),
    oracle: joined(left.oracle, right.oracle),
    isOrdered: false,
  };
}
