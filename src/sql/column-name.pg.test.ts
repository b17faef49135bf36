import assert from 'node:assert/strict';
import { withClient } from '../postgres/client.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import { columnName } from './column-name.ts';
import { bodyOf, listOf, type Node, parseStatements } from './parse-tree.ts';

const table = `
  CREATE TYPE pair AS (left_side int, "Right Side" text);
  CREATE TABLE t (a int, b text, "C d" numeric, p pair, v int[], j jsonb, x xml, ts timestamptz)`;

/** Expressions of every kind FigureColname knows, and of those it does not. */
const expressions: readonly string[] = [
  ...['a', 't.a', 'public.t.a', '"C d"', 't."C d"', '(a)', '((t.a))', 't', '(t)', '(t).a', '(t.p)'],
  ...['p', '(p).left_side', '(t.p)."Right Side"', '((p)).left_side', '(t.p).left_side::text'],
  ...['v[1]', 'v[1:2]', '(v)[1]', '(ARRAY[1,2])[1]', "j['a']", "(j['a'])['b']", "(j->'a')['b']"],
  ...['ARRAY[1,2]', 'ARRAY[[1],[2]]', 'ARRAY(SELECT 1)', 'ROW(1,2)', '(1,2)', 'ROW(a)', 'ROW()'],
  ...['1', "'x'", 'NULL', 'true', '1.5', "B'1'", "X'1'", '-1', '- a', 'a + 1', 'a + 1 AS named'],
  ...['a = 1', 'NOT true', 'a IS NULL', 'a > 1 AND a < 3', 'a BETWEEN 1 AND 2', 'a IN (1, 2)'],
  ...["b LIKE 'x'", 'b || b', 'a IS DISTINCT FROM 1', 'a = ANY(v)', 'a = ALL(ARRAY[1])'],
  ...['NULLIF(a, 1)', 'COALESCE(a, 1)', 'GREATEST(a, 1)', 'LEAST(a, 1)', 'NULLIF(a, 1)::text'],
  ...[
    'a::text',
    'CAST(a AS text)',
    "'1'::int",
    '1::int',
    "'1'::int4",
    "'x'::varchar(3)",
    "'x'::char",
  ],
  ...[
    "'1'::float",
    "'1'::double precision",
    "'1'::real",
    "'1'::numeric(3,1)",
    "'1'::dec",
    "'t'::bool",
  ],
  ...[
    "'1'::bigint",
    "'1'::smallint",
    "'{1}'::int[]",
    "'{1}'::int[]::text",
    '\'\'::"char"',
    "'1'::bit(3)",
  ],
  ...[
    "'1'::bit varying",
    "'x'::name",
    "'x'::bpchar",
    "'x'::character varying",
    "'1'::pg_catalog.int4",
  ],
  ...[
    "'(1,x)'::pair",
    "'(1,x)'::public.pair",
    "('(1,x)'::pair).left_side",
    '\'x\'::text COLLATE "C"',
  ],
  ...['b COLLATE "C"', '\'x\' COLLATE "C"', 'a::text::int', 'upper(b)::text', '(a + 1)::text::int'],
  ...["DATE '2020-01-01'", "TIMESTAMP '2020-01-01'", "TIMESTAMPTZ '2020-01-01'", "TIME '12:00'"],
  ...["INTERVAL '1 day'", "INTERVAL '1' DAY", "INTERVAL(3) '1 day'", "int4 '1'", "float8 '1'"],
  ...["TIME WITH TIME ZONE '12:00+00'", "TIMESTAMP(3) '2020-01-01'", "'1 day'::interval hour"],
  ...['upper(b)', 'pg_catalog.upper(b)', '"upper"(b)', 'count(*) OVER ()', 'lower(upper(b))'],
  ...[
    'substring(b FROM 1 FOR 2)',
    'substring(b, 1)',
    "overlay(b PLACING 'x' FROM 1)",
    'position(b IN b)',
  ],
  ...['trim(b)', 'trim(LEADING FROM b)', "trim(TRAILING 'x' FROM b)", 'extract(year FROM ts)'],
  ...[
    "ts AT TIME ZONE 'UTC'",
    'ts AT LOCAL',
    'normalize(b)',
    'b IS NORMALIZED',
    'collation for (b)',
  ],
  ...[
    '(ts, ts) OVERLAPS (ts, ts)',
    "b SIMILAR TO 'x'",
    "xmlexists('//a' PASSING x)",
    'x IS DOCUMENT',
  ],
  ...[
    'CASE WHEN true THEN 1 END',
    'CASE WHEN true THEN 1 ELSE a END',
    'CASE a WHEN 1 THEN b ELSE b END',
  ],
  ...['CASE WHEN true THEN 1 ELSE a + 1 END', "CASE WHEN true THEN '1' ELSE '2'::text END"],
  ...['CASE WHEN true THEN 1 ELSE upper(b)::int END', '(CASE WHEN true THEN 1 END)::text'],
  ...[
    'CASE WHEN true THEN 1 ELSE CASE WHEN true THEN 2 END END',
    'CASE WHEN true THEN 1 ELSE NULL END',
  ],
  ...['EXISTS (SELECT 1)', 'NOT EXISTS (SELECT 1)', '(SELECT 1)', '(SELECT a FROM t LIMIT 1)'],
  ...[
    '(SELECT 1 AS one)',
    '(SELECT upper(b) FROM t LIMIT 1)',
    "(SELECT '1'::int)",
    '((SELECT 1 AS one))',
  ],
  ...[
    '(SELECT 1 AS one UNION SELECT 2 AS two)',
    '(VALUES (1))',
    'a IN (SELECT 1)',
    '(SELECT (SELECT 1 AS d))',
  ],
  ...[
    '(SELECT 1 AS one)::text',
    '(SELECT 1 + 1)::text',
    '(WITH w AS (SELECT 1 AS q) SELECT q FROM w)',
  ],
  ...['(SELECT t FROM t LIMIT 1)', 'a = ANY (SELECT 1)'],
  ...['(SELECT p FROM t LIMIT 1)', '((SELECT p FROM t LIMIT 1)).left_side'],
  ...[
    'current_date',
    'current_time',
    'current_time(3)',
    'current_timestamp',
    'current_timestamp(3)',
  ],
  ...[
    'localtime',
    'localtime(3)',
    'localtimestamp',
    'localtimestamp(3)',
    'current_role',
    'current_user',
  ],
  ...[
    'user',
    'session_user',
    'system_user',
    'current_catalog',
    'current_schema',
    'current_schema()',
  ],
  ...['xmlconcat(x, x)', 'xmlelement(name e)', 'xmlforest(1 AS a)', "xmlparse(content '<a/>')"],
  ...[
    'xmlpi(name p)',
    "xmlroot(x, version '1.0')",
    'xmlserialize(content x AS text)',
    'xmlcomment(b)',
  ],
  ...[
    "json_object('a': 1)",
    'json_array(1, 2)',
    'json_array(SELECT 1)',
    'json_object(ARRAY[b, b])',
  ],
  ...["JSON('{}')", 'JSON_SCALAR(1)', "JSON_SERIALIZE('{}')", 'j IS JSON', "JSON_EXISTS(j, '$.a')"],
  ...["JSON_VALUE(j, '$.a')", "JSON_QUERY(j, '$.a')", "JSON_VALUE(j, '$.a' RETURNING int)"],
  ...["j->'a'", "(j->>'a')::int", "(j->'a')::text", 'row_to_json(t)', 'to_jsonb(t.*)', 'ROW(t.*)'],
  ...['(ROW(1,2)).f1', '(pg_catalog.pg_input_error_info(b, b)).message', 'a::oid::regclass'],
  ...[
    'a OPERATOR(pg_catalog.+) 1',
    '+ a',
    '@ a',
    'a::float8::numeric(10,2)',
    '(a)::text',
    '(((a)))::text',
  ],
];

/** Expressions that need GROUP BY. */
const grouped: readonly string[] = [
  ...[
    'count(*)',
    'count(*) FILTER (WHERE true)',
    'sum(a)',
    'string_agg(b, b ORDER BY b)',
    'grouping(a)',
  ],
  ...[
    'percentile_cont(0.5) WITHIN GROUP (ORDER BY a)',
    'sum(a)::text',
    'sum(a) + 1',
    'coalesce(sum(a))',
  ],
  ...[
    'json_objectagg(b: a)',
    'json_arrayagg(a)',
    'json_agg(a)',
    'rank(1) WITHIN GROUP (ORDER BY a)',
  ],
];

describe('columnName', () => {
  it("gives output columns the server's names", async () => {
    const postgres = await testPostgres();
    const url = postgres.url(await postgres.createDatabase());
    const wrong: unknown[] = [];
    let compared = 0;
    await withClient(url, async (client) => {
      await client.query(table);
      const texts = [
        ...expressions.map((expression) => `SELECT ${expression} FROM t LIMIT 0`),
        ...grouped.map((expression) => `SELECT ${expression} FROM t GROUP BY a LIMIT 0`),
      ];
      for (const text of texts) {
        const described = await client.query(text).catch((error: Error) => error);
        if (described instanceof Error) {
          // An older server does not know the newest expressions.
          wrong.push({ text, refused: described.message });
          continue;
        }
        compared += 1;
        const node = await firstTarget(text);
        const got = node.alias ?? columnName(node.value);
        const want = described.fields[0]?.name;
        if (got !== want) wrong.push({ text, got, want });
      }
    });
    assert.deepEqual(wrong, []);
    assert.equal(compared, expressions.length + grouped.length);
  });
});

async function firstTarget(text: string): Promise<{ alias: string | undefined; value: Node }> {
  const [statement] = (await parseStatements(text)) ?? [];
  const select = bodyOf(statement?.node, 'SelectStmt');
  assert.ok(select, text);
  const target = bodyOf(listOf(select, 'targetList')[0], 'ResTarget');
  assert.ok(target, text);
  return { alias: target['name'] as string | undefined, value: target['val'] as Node };
}
