// What random queries are made of: SQL over the columns of the random table, alias t.

export const keys: readonly string[] = [
  ...[
    't.k1',
    'k1',
    't.k2',
    'k2',
    't."Grp"',
    't.k2 % 2',
    "coalesce(t.k1, '-')",
    'upper(k1)',
    '(k2 > 0)',
  ],
  ...['t.b IS NULL', 'abs(t.i4) % 3', "t.k1 || 'x'", '-t.k2', 'CASE WHEN k2 = 1 THEN k1 END'],
];

export const aggregates: readonly string[] = [
  ...['count(*)', 'count(t.i4)', 'count(DISTINCT t.k2)', 'count(t.ts)', 'count(DISTINCT (k1, k2))'],
  ...[
    'sum(t.i2)',
    'sum(t.i4)',
    'sum(i8)',
    'sum(t.n)',
    'sum(t.iv)',
    'sum(t.m)',
    'sum(t.f8)',
    'sum(f4)',
  ],
  ...['avg(t.i2)', 'avg(t.i4)', 'avg(t.i8)', 'avg(t.n)', 'avg(t.iv)', 'avg(t.f8)', 'avg(t.f4)'],
  ...[
    'min(t.i4)',
    'max(t.i8)',
    'trim_scale(min(t.n))',
    'trim_scale(max(n))',
    'min(t.f8)',
    'max(t.f4)',
  ],
  ...[
    'min(t.s)',
    'max(t.s)',
    'min(t.m)',
    'max(t.d)',
    'min(t.ts)',
    'max(t.tn)',
    'justify_interval(max(iv))',
  ],
  ...[
    'variance(t.i4)',
    'var_samp(t.i2)',
    'var_pop(t.i8)',
    'variance(t.n)',
    'var_pop(n)',
    'var_samp(i4 - 5)',
  ],
  ...['stddev(t.i4)', 'stddev_pop(t.n)', 'stddev_samp(t.i2)', 'round(variance(t.f8)::numeric, 6)'],
  ...[
    'bool_and(t.b)',
    'bool_or(b)',
    'every(t.i4 > 0)',
    'bit_and(t.i4)',
    'bit_or(t.i2)',
    'bit_xor(t.i8)',
  ],
  ...[
    "string_agg(t.s, ',' ORDER BY t.s, t.id)",
    'array_agg(t.i4 ORDER BY t.id DESC)',
    'array_agg(DISTINCT k2)',
  ],
  ...[
    "string_agg(DISTINCT t.s, '/' ORDER BY t.s)",
    'jsonb_agg(t.k1 ORDER BY id)',
    'sum(DISTINCT t.i2)',
  ],
  ...['percentile_cont(0.5) WITHIN GROUP (ORDER BY t.i4)', 'mode() WITHIN GROUP (ORDER BY t.k2)'],
  ...[
    'percentile_disc(0.25) WITHIN GROUP (ORDER BY t.f8 DESC)',
    'percentile_cont(ARRAY[0, 1]) WITHIN GROUP (ORDER BY i2)',
  ],
  ...['rank(3) WITHIN GROUP (ORDER BY t.k2)', 'corr(t.k2, t.i2) IS NULL', 'regr_count(t.i2, t.i4)'],
  ...[
    'count(*) FILTER (WHERE t.b)',
    'sum(t.i4) FILTER (WHERE i4 > 0)',
    'avg(t.n) FILTER (WHERE t.k1 IS NOT NULL)',
  ],
  ...[
    'trim_scale(max(t.n) FILTER (WHERE t.k2 = 1))',
    'sum(t.i4 * 2 + coalesce(t.i2, 0))',
    'sum(1)',
    'count(1)',
  ],
  ...[
    'sum(t.i4) + count(*)',
    'sum(t.i4)::text',
    'coalesce(sum(t.i8), 0)',
    'sum(i2) FILTER (WHERE b) - sum(i2)',
  ],
  ...[
    'CASE WHEN count(*) > 2 THEN max(t.s) ELSE min(k1) END',
    '(array_agg(t.s ORDER BY id))[1]',
    'sum(abs(t.i4))',
  ],
  ...[
    "max(length(t.s)) FILTER (WHERE t.s LIKE '%z')",
    'bool_or(t.k1 IN (SELECT lbl FROM labels))',
    'avg(1.50)',
  ],
  ...[
    'count(*) > 1 AND bool_or(b)',
    'pg_catalog.sum(t.i4)',
    'sum(ALL t.i4)',
    'min(k2) = ANY (array_agg(k2))',
  ],
  ...[
    'sum((SELECT count(*) FROM labels WHERE lk = t.k2))',
    "'é' || count(*)",
    'sum(t.i2::numeric(6, 2))',
  ],
];

/** Aggregates whose arguments mention the window. */
export const windowAggregates: readonly string[] = [
  'max({T} - {W})',
  'count(*) FILTER (WHERE {T} = {W})',
  'array_agg({T} - {W} ORDER BY t.id)',
  'min({W})',
];

export const conditions: readonly string[] = [
  ...[
    't.k1 IS NOT NULL',
    'k2 <> 1 OR t.b',
    't.i4 > 0',
    't.id % 3 <> 0',
    'true',
    't.k2 = 1 AND NOT b',
  ],
  ...['EXISTS (SELECT FROM labels WHERE lk = t.k2)', 't.i4 BETWEEN -50000 AND 50000', 'false'],
];

export const havings: readonly string[] = [
  ...[
    'count(*) > 1',
    'max(t.i4) IS NOT NULL',
    'count(*) FILTER (WHERE t.b) >= 0',
    "{W} >= '1900-01-01'",
  ],
  ...[
    'sum(t.i4) > 0 OR {W} IS NOT NULL',
    'NOT bool_and(t.b)',
    'count(DISTINCT t.k2) < 3 AND count(*) < 50',
  ],
];
