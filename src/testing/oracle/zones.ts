/**
 * Local days of time zones by the definition, from nothing but the offset at an instant. Filled for
 * the zones in `zone_names`, in this order:
 * - `segments`: stretches of one offset; their ends are the changes of the clock
 * - `days`: for the dates around every change, from the least instant with that date or a later one
 *   to the least one with the next
 * - `instants`: times around every change and at the edges of those days
 */
export const zoneTables: string = `
CREATE SCHEMA zones;
CREATE TABLE zones.zone_names (z text);

CREATE FUNCTION zones.shift(t timestamptz, z text) RETURNS interval STABLE LANGUAGE sql AS
$$ SELECT (t AT TIME ZONE z) - (t AT TIME ZONE 'UTC') $$;

-- The first second with another offset than the instant before.
CREATE FUNCTION zones.change_between(low timestamptz, high timestamptz, z text)
RETURNS timestamptz STABLE LANGUAGE plpgsql AS $$
DECLARE
  middle timestamptz;
BEGIN
  WHILE high - low > INTERVAL '1 second' LOOP
    middle := date_trunc('second', low + (high - low) / 2);
    IF zones.shift(middle, z) = zones.shift(low, z) THEN low := middle; ELSE high := middle; END IF;
  END LOOP;
  RETURN high;
END $$;

CREATE TABLE zones.segments (z text, begins timestamptz, ends timestamptz, off interval);
CREATE TABLE zones.days (z text, day date, begins timestamptz, ends timestamptz);
CREATE TABLE zones.instants (z text, ts timestamptz);

CREATE FUNCTION zones.day_start(day date, zone text) RETURNS timestamptz STABLE LANGUAGE sql AS $$
  SELECT min(greatest(g.begins, (day::timestamp - g.off) AT TIME ZONE 'UTC'))
  FROM zones.segments AS g
  WHERE g.z = zone AND g.ends > (day::timestamp - INTERVAL '3 days') AT TIME ZONE 'UTC'
    AND g.begins < (day::timestamp + INTERVAL '3 days') AT TIME ZONE 'UTC'
    AND greatest(g.begins, (day::timestamp - g.off) AT TIME ZONE 'UTC') < g.ends $$;
`;

export const fillZoneTables: readonly string[] = [
  `INSERT INTO zones.segments
   WITH daily AS (
     SELECT z, t, zones.shift(t, z) AS off FROM zones.zone_names
     CROSS JOIN generate_series(timestamptz '1969-12-01 00:00+00', '2041-01-01 00:00+00',
       '1 day') AS t
   ), compared AS (
     SELECT z, t, off, lag(t) OVER w AS before_t, lag(off) OVER w AS before_off
     FROM daily WINDOW w AS (PARTITION BY z ORDER BY t)
   ), changes AS (
     SELECT z, CASE WHEN before_t IS NULL THEN t ELSE zones.change_between(before_t, t, z) END
       AS at, off
     FROM compared WHERE before_t IS NULL OR off <> before_off
   )
   SELECT z, at, coalesce(lead(at) OVER (PARTITION BY z ORDER BY at), '2041-01-01 00:00+00'), off
   FROM changes`,
  'CREATE INDEX ON zones.segments (z, begins); ANALYZE zones.segments',
  `INSERT INTO zones.days
   SELECT z, day, zones.day_start(day, z), zones.day_start(day + 1, z)
   FROM (
     SELECT DISTINCT z, (begins AT TIME ZONE 'UTC')::date + n AS day
     FROM zones.segments CROSS JOIN generate_series(-3, 3) AS n
     WHERE begins >= '1970-01-01 00:00+00' AND begins < '2040-06-01 00:00+00'
   ) AS around`,
  'CREATE INDEX ON zones.days (z, begins); ANALYZE zones.days',
  `INSERT INTO zones.instants
   SELECT DISTINCT z, ts FROM (
     SELECT z, begins + step AS ts FROM zones.segments
     CROSS JOIN unnest(ARRAY['-25:00', '-23:30', '-12:00', '-3:00', '-1:00', '-0:30',
       '-0:00:00.000001',
       '0', '0:00:00.000001', '0:29:59', '0:30', '0:59:59.999999', '1:00', '2:00', '7:00',
         '23:00', '24:30'
     ]::interval[]) AS step
     WHERE begins >= '1970-01-01 00:00+00' AND begins < '2040-06-01 00:00+00'
     UNION ALL
     SELECT d.z, d.begins + step FROM zones.segments AS g
     JOIN zones.days AS d ON d.z = g.z AND d.begins BETWEEN g.begins - INTERVAL '26 hours' AND
       g.begins + INTERVAL '26 hours'
     CROSS JOIN unnest(ARRAY['-0:00:00.000001', '0', '7:00', '6:59:59.999999']::interval[]) AS step
     WHERE g.begins >= '1970-01-01 00:00+00' AND g.begins < '2040-06-01 00:00+00'
   ) AS times`,
];

/** The sizes `expectedTumbles` is about. */
export const tumbleSizes: readonly string[] = [
  '1 day',
  '2 days',
  '3 days',
  '1 hour',
  '7 hours',
  '1 month',
  '2 months',
];

/** The window of every instant by the definition. */
export const expectedTumbles: string = `
  WITH placed AS (
    SELECT i.z, i.ts, d.day, d.begins, d.ends FROM zones.instants AS i
    JOIN zones.days AS d ON d.z = i.z AND d.begins <= i.ts AND i.ts < d.ends
  )
  SELECT z, ts, size, begins + k * size::interval AS s,
    least(begins + (k + 1) * size::interval, ends) AS e
  FROM placed CROSS JOIN unnest(ARRAY['1 hour', '7 hours']) AS size
  CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM ts - begins) / extract(epoch FROM
    size::interval))) AS f (k)
  UNION ALL
  SELECT z, ts, n || CASE n WHEN 1 THEN ' day' ELSE ' days' END, zones.day_start(first, z),
    zones.day_start(first + n, z)
  FROM placed CROSS JOIN unnest(ARRAY[1, 2, 3]) AS n
  CROSS JOIN LATERAL (SELECT day - ((day - date '1970-01-01') % n + n) % n) AS f (first)
  UNION ALL
  SELECT z, ts, n || CASE n WHEN 1 THEN ' month' ELSE ' months' END, zones.day_start(first, z),
    zones.day_start((first + make_interval(months => n))::date, z)
  FROM placed CROSS JOIN unnest(ARRAY[1, 2]) AS n
  CROSS JOIN LATERAL (SELECT (date_trunc('month', day)
    - make_interval(months => (extract(month FROM day)::int - 1) % n))::date) AS f (first)`;

/** The slides and sizes `expectedHops` is about. */
export const hopLengths: readonly (readonly [slide: string, size: string])[] = [
  ['1 day', '1 day'],
  ['1 day', '3 days'],
  ['2 days', '2 days'],
  ['2 days', '3 days'],
  ['1 month', '2 months'],
  ['6 hours', '7 hours'],
];

/**
 * The windows of every instant by the definition. Of two that start together, because a date was
 * skipped, only the later one is a window.
 */
export const expectedHops: string = `
  WITH placed AS (
    SELECT i.z, i.ts, d.day, d.begins, d.ends FROM zones.instants AS i
    JOIN zones.days AS d ON d.z = i.z AND d.begins <= i.ts AND i.ts < d.ends
  ), windows AS (
    SELECT z, ts, slide, size, zones.day_start(first, z) AS s,
      zones.day_start(first + size::int, z) AS e
    FROM placed
    CROSS JOIN (VALUES ('1', '1'), ('1', '3'), ('2', '2'), ('2', '3')) AS l (slide, size)
    CROSS JOIN generate_series(0, 5) AS back
    CROSS JOIN LATERAL (SELECT day - back) AS f (first)
    WHERE (first - date '1970-01-01') % slide::int = 0
  )
  SELECT z, ts, slide || CASE slide WHEN '1' THEN ' day/' ELSE ' days/' END
    || size || CASE size WHEN '1' THEN ' day' ELSE ' days' END AS size, s, max(e) AS e
  FROM windows WHERE s <= ts AND ts < e GROUP BY 1, 2, 3, 4
  UNION ALL
  SELECT z, ts, '1 month/2 months', s, max(e) FROM (
    SELECT z, ts, zones.day_start(first, z) AS s,
      zones.day_start((first + INTERVAL '2 months')::date, z) AS e
    FROM placed CROSS JOIN generate_series(0, 3) AS back
    CROSS JOIN LATERAL (SELECT (date_trunc('month', day)
      - make_interval(months => back))::date) AS f (first)
  ) AS months WHERE s <= ts AND ts < e GROUP BY z, ts, s
  UNION ALL
  SELECT i.z, i.ts, '6 hours/7 hours', s, s + INTERVAL '7 hours'
  FROM (
    SELECT p.z, p.ts, zones.day_start(d.day, p.z) AS begins, zones.day_start(d.day + 1, p.z) AS ends
    FROM placed AS p CROSS JOIN LATERAL (VALUES (p.day), (p.day - 1), (p.day - 2)) AS d (day)
  ) AS i
  CROSS JOIN generate_series(0, 4) AS k
  CROSS JOIN LATERAL (SELECT begins + k * INTERVAL '6 hours') AS w (s)
  WHERE s < ends AND s <= ts AND ts < s + INTERVAL '7 hours'`;
