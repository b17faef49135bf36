import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { withClient } from '../../postgres/client.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { rewrite } from '../rewrite.ts';

/** 20,000 rows, one a second: with a slide of one minute a slice of one of 4 keys holds 15. */
const readings = `
  CREATE SCHEMA "my Schema";
  CREATE TABLE readings (ts timestamptz, tn timestamp, dense int, sparse int, note text);
  INSERT INTO readings SELECT t, t, n % 4, n % 10000, 'x'
    FROM generate_series(0, 19999) AS n, LATERAL (SELECT to_timestamp(n)) AS at (t);
  CREATE TABLE "my Schema"."Odd "" name" AS SELECT ts AS "Zeit", dense AS "é" FROM readings;
  CREATE TABLE days AS SELECT DATE '2000-01-01' + n / 100 AS d, n % 2 AS key
    FROM generate_series(0, 19999) AS n;
  CREATE TABLE parts (ts timestamptz, dense int) PARTITION BY LIST (dense);
  CREATE TABLE part1 PARTITION OF parts FOR VALUES IN (0, 1);
  CREATE TABLE part2 PARTITION OF parts FOR VALUES IN (2, 3);
  INSERT INTO parts SELECT ts, dense FROM readings;
  CREATE TABLE few AS SELECT to_timestamp(n % 3 * 60) AS ts, n % 2 AS key
    FROM generate_series(0, 999) AS n;
  CREATE TABLE unknown AS TABLE readings;
  CREATE TABLE empty (LIKE readings);
  CREATE VIEW seen AS TABLE readings;
  ANALYZE readings, "my Schema"."Odd "" name", days, parts, few, empty;`;

/** What a survey says about a query: t for dense slices, f for sparse ones, ? where nobody knows. */
const answers: readonly (readonly [expected: string, from: string, keys: string, time?: string])[] =
  [
    ['t', 'readings', 'dense'],
    ['f', 'readings', 'sparse'],
    ['f', 'readings', 'dense, sparse'],
    ['t', 'readings', 'dense', 'tn'],
    ['f', 'readings', 'sparse', 'tn'],
    ['t', 'public.readings', 'readings.dense', 'readings.ts'],
    ['t', 'readings AS r', 'r.dense', 'r.ts'],
    ['t', 'readings AS r JOIN days ON sparse = key', 'dense'],
    ['t', '"my Schema"."Odd "" name"', '"é"', '"Zeit"'],
    ['t', 'days', 'key', 'd'],
    ['t', 'parts', 'dense'],
    ['t', 'few', 'key'],
    ['?', 'unknown', 'dense'],
    ['?', 'empty', 'dense'],
    ['?', 'seen', 'dense'],
  ];

/** Where there is nothing to ask about. */
const silent: readonly (readonly [from: string, keys: string])[] = [
  ['readings', 'dense + 1'],
  ['(SELECT * FROM readings) AS s', 'dense'],
  ['readings AS r (ts, tn, dense)', 'dense'],
  [
    "generate_series(now(), now(), INTERVAL '1 hour') AS ts, LATERAL (SELECT 1 AS dense) AS s",
    'dense',
  ],
];

describe('the survey of slices', () => {
  let url: string;

  before(async () => {
    const postgres = await testPostgres();
    url = postgres.url(await postgres.createDatabase());
    await withClient(url, (client) => client.query(readings));
  });

  it('knows dense slices from sparse ones', () =>
    withClient(url, async (client) => {
      for (const [expected, from, keys, time = 'ts'] of answers) {
        const length = time === 'd' ? 'day' : 'minute';
        const text = hop({ from, keys, time, slide: `1 ${length}`, size: `60 ${length}s` });
        assert.equal(await surveyed(client, text), expected, text);
      }
    }));

  it('is not made where no statistics can be found by name', async () => {
    for (const [from, keys] of silent) {
      assert.equal(await surveyOf(hop({ from, keys })), undefined, `${from} ${keys}`);
    }
    const shadowed = `WITH readings AS (SELECT now() AS ts, 1 AS dense) ${hop({ from: 'readings', keys: 'dense' })}`;
    assert.equal(await surveyOf(shadowed), undefined);
  });

  it('decides how the HOP is lowered', async () => {
    const text = hop({ from: 'readings', keys: 'dense' });
    const types = [1184];
    const loweredFor = async (surveyed: string | null) => {
      const answer = await rewriteQuery(text, { kind: 'done', types, surveyed });
      return answer.kind === 'send' && answer.text.includes('heliosdb_slices');
    };
    assert.deepEqual([await loweredFor('t'), await loweredFor('f')], [true, false]);
    assert.equal(await loweredFor('?'), true, 'many windows per row');
    const twice = hop({ from: 'readings', keys: 'dense', slide: '30 minutes', size: '60 minutes' });
    const unknown = await rewriteQuery(twice, { kind: 'done', types, surveyed: '?' });
    assert.ok(unknown.kind === 'send' && !unknown.text.includes('heliosdb_slices'), 'few of them');
  });

  it('is asked once for each HOP of a statement', () =>
    withClient(url, async (client) => {
      const [dense, sparse] = [
        hop({ from: 'readings', keys: 'dense' }),
        hop({ from: 'readings', keys: 'sparse' }),
      ];
      assert.equal(await surveyed(client, `${dense} UNION ALL ${sparse}`), 't,f');
    }));

  it('cannot fail, whatever times a table holds and however the session shows them', () =>
    withClient(url, async (client) => {
      await client.query(`
        CREATE TABLE ages (ts timestamptz, tn timestamp, d date, key int);
        INSERT INTO ages SELECT v::timestamptz, v::timestamp, v::date, n % 2
          FROM unnest(ARRAY['infinity', '-infinity', '4713-01-01 BC', '294276-12-31 23:59:59',
            '0001-01-01', '2024-03-10 02:30', '1900-01-01 00:00:00.000001']) WITH ORDINALITY AS a (v, n);
        INSERT INTO ages (d, key) VALUES ('5874897-12-31', 1), ('4713-01-01 BC', 2), (NULL, NULL);
        ANALYZE ages`);
      for (const setting of [
        "DateStyle = 'SQL, DMY'",
        "DateStyle = 'German'",
        "DateStyle = 'Postgres'",
      ]) {
        for (const zone of ['UTC', 'Asia/Kathmandu', 'America/Los_Angeles']) {
          await client.query(`SET ${setting}; SET TimeZone = '${zone}'`);
          for (const time of ['ts', 'tn', 'd', 'key']) {
            const answer = await surveyed(client, hop({ from: 'ages', keys: 'key', time }));
            assert.match(answer, /^[tf?]$/, `${setting} ${zone} ${time}`);
          }
        }
      }
    }));
});

function hop(asked: {
  readonly from: string;
  readonly keys: string;
  readonly time?: string;
  readonly slide?: string;
  readonly size?: string;
}): string {
  const { from, keys, time = 'ts', slide = '1 minute', size = '60 minutes' } = asked;
  return `SELECT count(*) FROM ${from} GROUP BY HOP(${time}, INTERVAL '${slide}', INTERVAL '${size}'), ${keys}`;
}

function rewriteQuery(text: string, discovery: Parameters<typeof rewrite>[0]['discovery']) {
  return rewrite({
    text,
    protocol: 'simple',
    standardConformingStrings: true,
    parameterTypes: [],
    discovery,
  });
}

async function surveyOf(text: string): Promise<string | undefined> {
  const answer = await rewriteQuery(text, { kind: 'possible' });
  assert.equal(answer.kind, 'probe', text);
  return answer.kind === 'probe' ? answer.survey : undefined;
}

async function surveyed(client: Client, text: string): Promise<string> {
  const survey = await surveyOf(text);
  assert.notEqual(survey, undefined, text);
  const { rows } = await client.query<[string]>({ text: survey!, rowMode: 'array' });
  return rows[0]![0];
}
