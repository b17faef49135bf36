import type { Step } from './contexts.ts';

/** A statement and the same written by hand; both are rolled back. */
export type Shape = { readonly ours: Step; readonly oracle: Step };

/** Small tables, one of them full of the names the lowering likes. */
export const shapeTables: string = `
CREATE TABLE event (id int PRIMARY KEY, ts timestamptz, d date, k text, n int, name text);
INSERT INTO event
  SELECT i, TIMESTAMPTZ '2024-03-01 00:00+00' + (i * i * 7 % 400) * INTERVAL '1 minute',
    DATE '2024-03-01' + i % 5, (ARRAY['a', 'b', NULL])[1 + i % 3], i % 7 - 2, 'name ' || i % 4
  FROM generate_series(1, 60) AS i;
INSERT INTO event VALUES (61, NULL, NULL, 'a', 1, 'x'), (62, 'infinity', 'infinity', 'b', 2, 'y'),
  (63, '-infinity', '-infinity', NULL, 3, 'z');
CREATE TABLE kind (k text, n int, label text);
INSERT INTO kind VALUES ('a', 1, 'first'), ('b', 2, 'second'), ('a', 3, NULL);
CREATE TABLE clash (w timestamptz, t int, k1 int, c1 int, f1 int, n int, last int, slide text,
  back int, first int, cut int, p1 int, heliosdb_rows int, heliosdb_windows int, s int, r int, l
    int);
INSERT INTO clash SELECT ts, id, n, id, n, n, n, k, n, n, n, n, n, n, n, n, n FROM event;
CREATE AGGREGATE own_sum (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE FUNCTION "tumble"(int) RETURNS int LANGUAGE sql AS 'SELECT -$1';
CREATE SCHEMA other;
CREATE VIEW other.seen AS SELECT ts, k, n FROM event`;

const hop = "INTERVAL '10 minutes', INTERVAL '25 minutes'";
const many = "INTERVAL '5 minutes', INTERVAL '1 hour'";
const hour = "INTERVAL '1 hour'";

/** `{H}` and the like are the window in ours and the columns of its definition in the oracle. */
const windows: readonly (readonly [string, string, string])[] = [
  ['{H}', `HOP(ts, ${hop})`, 'h.s'],
  ['{HE}', `HOP_END(ts, ${hop})`, 'h.e'],
  ['{M}', `HOP(ts, ${many})`, 'm.s'],
  ['{T}', `TUMBLE(ts, ${hour})`, 'o.s'],
  ['{TE}', `TUMBLE_END(ts, ${hour})`, 'o.e'],
  ['{+H}', '', `CROSS JOIN LATERAL oracle.windows(ts, ${hop}, TIMESTAMPTZ 'epoch') AS h`],
  ['{+M}', '', `CROSS JOIN LATERAL oracle.windows(ts, ${many}, TIMESTAMPTZ 'epoch') AS m`],
  ['{+T}', '', `CROSS JOIN LATERAL oracle.windows(ts, ${hour}, ${hour}, TIMESTAMPTZ 'epoch') AS o`],
  ['{as H}', '', ' AS hop'],
  ['{as T}', '', ' AS tumble'],
  ['{,HE}', '', ', h.e'],
  ['{,TE}', '', ', o.e'],
];

/** The same text twice. */
function both(text: string): Shape {
  const written = (side: 1 | 2) =>
    windows.reduce((filled, each) => filled.replaceAll(each[0], each[side]), text);
  return { ours: { text: written(1) }, oracle: { text: written(2) } };
}

function pair(ours: string, oracle: string, values?: readonly string[]): Shape {
  return {
    ours: values === undefined ? { text: ours } : { text: ours, values },
    oracle: { text: oracle },
  };
}

const sharedTexts: readonly string[] = [
  'SELECT 1 AS one FROM event {+H} GROUP BY {H}',
  'SELECT {H}{as H}, id, name, count(*) FROM event {+H} GROUP BY {H}, id',
  'SELECT id, upper(name) || k AS u, {HE} AS e FROM event {+H} GROUP BY 1, {H}{,HE}, event.id',
  'SELECT DISTINCT {H} AS w FROM event {+H} GROUP BY {H}, k',
  'SELECT DISTINCT ON (w) {H} AS w, k, count(*) FROM event {+H} GROUP BY w, k ORDER BY w, k',
  `SELECT DISTINCT ON ({H}) {H} AS w, k FROM event {+H} GROUP BY {H}, k ORDER BY {H}, k NULLS
    FIRST`,
  `SELECT {H} AS w, rank() OVER v, sum(sum(n)) OVER (v ROWS UNBOUNDED PRECEDING) FROM event {+H}
    GROUP BY {H} WINDOW v AS (ORDER BY {H})`,
  'SELECT {M} AS w, lag(count(*)) OVER (ORDER BY {M}) FROM event {+M} GROUP BY {M}',
  'SELECT {M} AS w, own_sum(n), own_sum(n) FILTER (WHERE n > 0) FROM event {+M} GROUP BY {M}',
  'SELECT {M} AS w, count(*) FROM event {+M} GROUP BY {M} ORDER BY 2 DESC, 1 LIMIT 2 + 1 OFFSET 1',
  'SELECT {M} AS w, count(*) FROM event {+M} GROUP BY w ORDER BY w FETCH FIRST 3 ROWS WITH TIES',
  `SELECT {M} AS w, k.label, count(*), sum(e.n) FROM event e JOIN kind k USING (k) {+M} GROUP BY
    {M}, k.label`,
  'SELECT {M} AS w, k, count(*) FROM event NATURAL JOIN kind {+M} GROUP BY {M}, k',
  `SELECT {H} AS w, a.n AS an, b.n AS bn, count(*) FROM event a LEFT JOIN kind b ON a.k = b.k
    {+H} GROUP BY {H}, a.n, b.n`,
  'SELECT {H} AS w, count(event), max(event.k), count(DISTINCT event) FROM event {+H} GROUP BY {H}',
  'SELECT {H} AS w, string_agg(v::text, chr(47) ORDER BY v.id) FROM event v {+H} GROUP BY {H}',
  `SELECT {M} AS w, count(*) FROM generate_series(TIMESTAMPTZ '2024-01-01', '2024-01-01 03:00',
    '7 min') AS ts {+M} GROUP BY {M}`,
  `SELECT {M} AS w, sum(x) FROM (VALUES (TIMESTAMPTZ '2024-01-01', 1), (NULL, 2)) AS v (ts, x)
    {+M} GROUP BY {M}`,
  `SELECT {M} AS w, min(q.q) FROM event AS x (id, ts, d, k, q, z), LATERAL (SELECT x.q + 1 AS q)
    AS q {+M} GROUP BY {M}`,
  `SELECT {H} AS w, count(*) FROM ONLY event TABLESAMPLE system (100) REPEATABLE (1) {+H} GROUP
    BY {H}`,
  'SELECT {H} AS w, count(*) FROM other.seen {+H} WHERE seen.k IS DISTINCT FROM $$a$$ GROUP BY {H}',
  `SELECT {H} AS w, (SELECT label FROM kind WHERE kind.n = e.n LIMIT 1) AS l, count(*) FROM
    event e {+H} GROUP BY {H}, (SELECT label FROM kind WHERE kind.n = e.n LIMIT 1)`,
  `SELECT {H} AS w, n % 2 = 0 AS even, sum(CASE WHEN n % 2 = 0 THEN n ELSE 1 END) FROM event
    {+H} GROUP BY {H}, n % 2 = 0 HAVING n % 2 = 0 IS NOT NULL ORDER BY n % 2 = 0`,
  'SELECT {H} AS w, count(*) + n, n * 2 FROM event {+H} GROUP BY {H}, n',
  'SELECT count(*), max(n) FROM event {+H} GROUP BY {H}, k HAVING k > $$$$ AND count(*) > 1',
  `SELECT {M} AS w, count(*) FILTER (WHERE n > (SELECT avg(n) FROM kind)) FROM event {+M} GROUP
    BY {M}`,
  `SELECT {M} AS w, sum(n) FILTER (WHERE random() < 2), count(random()) FROM event {+M} GROUP BY
    {M}`,
  'SELECT {H} AS w, sum(n) AS n FROM event {+H} GROUP BY {H} ORDER BY n, w',
  'SELECT {H} AS n, sum(n) FROM event {+H} GROUP BY {H}, n',
  `SELECT '😀é' AS s, /* é */ {H} AS "W é", k AS "q""q" FROM event {+H} -- 'x
    GROUP BY "W é", "q""q"`,
  `SELECT {H} AS w, ARRAY[k, max(k)] AS a, ROW(count(*), k) AS r, (array_agg(n ORDER BY
    id))[1:2] AS s FROM event {+H} GROUP BY {H}, k`,
  'SELECT {H} AS w FROM event {+H} GROUP BY DISTINCT {H}, k, k',
  'SELECT {H} AS w, k, count(*), grouping(k) AS g FROM event {+H} GROUP BY {H}, ROLLUP (k, n)',
  'SELECT {H} AS w, k, count(*) FROM event {+H} GROUP BY CUBE (({H}, k), n)',
  'SELECT {H} AS w, n, event.n AS en, count(*) FROM event {+H} GROUP BY CUBE (n, event.n, {H})',
  'SELECT {H} AS w, k, n FROM event {+H} GROUP BY ({H}, k), n',
  'SELECT {H} AS w, k FROM event {+H} GROUP BY ({H}), (k)',
  `SELECT {H} AT TIME ZONE 'UTC' AS w, to_char({H}, 'HH24:MI') AS c, {HE} - {H} AS l FROM event
    {+H} GROUP BY {H}{,HE}`,
  'SELECT {T}{as T}, {TE} AS e, count(*) FROM event {+T} GROUP BY {T}{,TE}',
  "SELECT count(*) FROM event {+T} WHERE {T} > '2024-03-01' OR k = 'a' GROUP BY {T}",
  'SELECT k, count(*) FROM event {+T} GROUP BY k, {T} HAVING {T} IS NOT NULL OR k IS NULL',
  `SELECT {T} AS w, max({T}) AS m, count(*) FILTER (WHERE ts > {T}) AS after FROM event {+T}
    GROUP BY 1`,
  `SELECT outer_.k, l.* FROM kind AS outer_ CROSS JOIN LATERAL (SELECT {M} AS w, count(*),
    outer_.n AS o FROM event {+M} WHERE event.k = outer_.k GROUP BY {M}) AS l`,
  `SELECT k, (SELECT max(c) FROM (SELECT count(*) + kind.n AS c FROM event {+M} WHERE event.n <=
    kind.n GROUP BY {M}) AS s) AS m FROM kind`,
  `WITH RECURSIVE r (n) AS (SELECT count(*) FROM (SELECT 1 FROM event {+H} GROUP BY {H}) AS s
    UNION ALL SELECT n - 20 FROM r WHERE n > 20) SELECT * FROM r`,
  `SELECT w, sum(c) FROM (SELECT {T} AS w, count(*) AS c FROM event {+T} GROUP BY 1) AS s GROUP
    BY w`,
  `SELECT n FROM event WHERE EXISTS (SELECT FROM event e {+H} WHERE e.n = event.n GROUP BY {H}
    HAVING count(*) > 3)`,
  `SELECT {H} AS w, k FROM event {+H} GROUP BY {H}, k UNION SELECT {T}, NULL FROM event {+T}
    GROUP BY {T} ORDER BY w, k LIMIT 9`,
];

/** Texts whose oracle is more than another name for the window. */
const writtenTwice: readonly Shape[] = [
  pair(
    `SELECT id, TUMBLE_END(ts, '1 month', TIMESTAMPTZ '2024-01-05 01:00+00') AS e,
      TUMBLE(ts, INTERVAL '5 months') AS s FROM event WHERE id IN (1, 61, 62, 63)`,
    `SELECT id, CASE WHEN isfinite(ts) THEN '2024-03-05 01:00+00' ELSE ts END AS e,
      CASE WHEN isfinite(ts) THEN '2024-03-01 00:00+00' ELSE ts END AS s
     FROM event WHERE id IN (1, 61, 62, 63)`,
  ),
  pair(
    `SELECT HOP(w, ${many}), t % 2 AS k1, k1 AS t, slide, count(*), sum(c1), max(last),
      min(first), sum(cut), sum(p1 + heliosdb_rows), max(slide) FROM clash GROUP BY 1, 2, 3,
      slide`,
    `SELECT h.s AS hop, t % 2 AS k1, k1 AS t, slide, count(*), sum(c1), max(last), min(first),
      sum(cut), sum(p1 + heliosdb_rows), max(slide) FROM clash CROSS JOIN LATERAL
      oracle.windows(w, ${many}, TIMESTAMPTZ 'epoch') AS h GROUP BY 1, t % 2, clash.k1, slide`,
  ),
  pair(
    `SELECT heliosdb_rows.k, HOP(heliosdb_rows.ts, ${hop}) AS w, sum(heliosdb_windows.n) FROM
      event AS heliosdb_rows LEFT JOIN kind AS heliosdb_windows USING (k) GROUP BY 1, 2`,
    `SELECT a.k, h.s AS w, sum(b.n) FROM event AS a LEFT JOIN kind AS b USING (k) CROSS JOIN
      LATERAL oracle.windows(a.ts, ${hop}, TIMESTAMPTZ 'epoch') AS h GROUP BY 1, 2`,
  ),
  pair(
    `SELECT HOP(coalesce(ts, '2024-03-01') + INTERVAL '1 hour', ${hop}) AS w, count(*) FROM
      event GROUP BY w`,
    `SELECT h.s AS w, count(*) FROM event CROSS JOIN LATERAL oracle.windows(coalesce(ts,
      '2024-03-01') + INTERVAL '1 hour', ${hop}, TIMESTAMPTZ 'epoch') AS h GROUP BY w`,
  ),
  pair(
    `SELECT TUMBLE(d + TIME '10:00', INTERVAL '1 day'), TUMBLE(d + 1, '2 days') AS two, count(*)
      OVER () FROM event WHERE id < 20`,
    `SELECT w.s AS tumble, v.s AS two, count(*) OVER () FROM event LEFT JOIN LATERAL
      oracle.windows(d + TIME '10:00', '1 day', '1 day', TIMESTAMP 'epoch') AS w ON true LEFT
      JOIN LATERAL oracle.windows((d + 1)::timestamp, '2 days', '2 days', TIMESTAMP 'epoch') AS
      v ON true WHERE id < 20`,
  ),
  pair(
    'SELECT "tumble"(n), public.tumble(n) AS p, TUMBLE(d, \'1 day\') AS t FROM event WHERE id < 9',
    'SELECT -n AS tumble, -n AS p, d::timestamp AS t FROM event WHERE id < 9',
  ),
  pair(
    `WITH gone AS (DELETE FROM event WHERE id < 9 RETURNING TUMBLE(ts, ${hour}), id) SELECT *
      FROM gone`,
    "SELECT date_bin('1 hour', ts, 'epoch') AS tumble, id FROM event WHERE id < 9",
  ),
  pair(
    `UPDATE event SET ts = TUMBLE_END(ts, ${hour}) WHERE TUMBLE(ts, ${hour}) =
      '2024-03-01 01:00+00' RETURNING id, ts, TUMBLE(ts, ${hour})`,
    `SELECT id, timestamptz '2024-03-01 02:00+00' AS ts, timestamptz '2024-03-01 02:00+00' AS
      tumble FROM event WHERE ts >= '2024-03-01 01:00+00' AND ts < '2024-03-01 02:00+00'`,
  ),
  pair(
    `INSERT INTO event (id, ts) VALUES (100, TUMBLE(TIMESTAMPTZ '2024-03-01 01:40+00',
      '1 hour')) RETURNING id, ts`,
    "SELECT 100 AS id, TIMESTAMPTZ '2024-03-01 01:00+00' AS ts",
  ),
  pair(
    `INSERT INTO event (id, ts) VALUES (1, NULL) ON CONFLICT (id) DO UPDATE SET ts =
      TUMBLE(event.ts, '1 day') RETURNING id, ts`,
    "SELECT 1 AS id, TIMESTAMPTZ '2024-03-01 00:00+00' AS ts",
  ),
  pair(
    `SELECT k, SESSION(ts, INTERVAL '8 minutes') AS w, SESSION_END(ts, INTERVAL '8 minutes') AS
      e, count(*), string_agg(id::text, ',' ORDER BY id) FROM event GROUP BY 1, 2`,
    `SELECT k, min(ts) AS w, max(ts) + INTERVAL '8 minutes' AS e, count(*), string_agg(id::text,
      ',' ORDER BY id)
     FROM (SELECT *, count(*) FILTER (WHERE ts - p > INTERVAL '8 minutes') OVER (PARTITION BY k
       ORDER BY ts) AS g
       FROM (SELECT *, lag(ts) OVER (PARTITION BY k ORDER BY ts) AS p FROM event
         WHERE isfinite(ts)) AS a) AS b GROUP BY k, g`,
  ),
  pair(
    `SELECT count(*) FILTER (WHERE ts = SESSION_START(ts, '8 minutes')) AS firsts, max(ts -
      SESSION(ts, '8 minutes')) AS age FROM event GROUP BY SESSION(ts, '8 minutes')`,
    `SELECT count(*) FILTER (WHERE ts = w) AS firsts, max(ts - w) AS age FROM (SELECT *, min(ts)
      OVER (PARTITION BY g) AS w
     FROM (SELECT *, count(*) FILTER (WHERE ts - p > INTERVAL '8 minutes') OVER (ORDER BY ts) AS g
       FROM (SELECT *, lag(ts) OVER (ORDER BY ts) AS p FROM event
         WHERE isfinite(ts)) AS a) AS b) AS c GROUP BY w`,
  ),
  pair(
    `SELECT HOP(ts, $2, $1, origin => $3::timestamptz) AS w, count(*) AS c, sum(n) FILTER (WHERE
      k = $4) FROM event WHERE n <> $5::int GROUP BY w`,
    `SELECT h.s AS w, count(*) AS c, sum(n) FILTER (WHERE k = 'a') FROM event CROSS JOIN LATERAL
      oracle.windows(ts, '7 minutes', '100 minutes', TIMESTAMPTZ '2024-01-01 00:03+00') AS h
      WHERE n <> 2 GROUP BY w`,
    ['100 minutes', '7 minutes', '2024-01-01 00:03+00', 'a', '2'],
  ),
  pair(
    `SELECT s.*, w.window_end - w.window_start AS l FROM HOP(TABLE other.seen, DESCRIPTOR(ts),
      '1 hour', '2 hours') AS w JOIN kind AS s ON s.k = w.k`,
    `SELECT s.*, INTERVAL '2 hours' AS l FROM other.seen AS e CROSS JOIN LATERAL
      oracle.windows(ts, '1 hour', '2 hours', TIMESTAMPTZ 'epoch') AS w JOIN kind AS s ON s.k =
      e.k`,
  ),
  pair(
    `WITH q AS (SELECT ts, k AS key FROM event) SELECT key, window_start, count(*) FROM
      TABLE(TUMBLE(TABLE q, DESCRIPTOR(ts), '1 hour')) GROUP BY 1, 2`,
    `SELECT k AS key, date_bin('1 hour', ts, 'epoch') AS window_start, count(*) FROM event WHERE
      isfinite(ts) GROUP BY 1, 2`,
  ),
];

export const shapes: readonly Shape[] = [...sharedTexts.map(both), ...writtenTwice];
