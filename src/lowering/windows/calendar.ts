/**
 * Calendar arithmetic as SQL text over the names of columns. All of it works on `timestamp`s of
 * local time; a timestamptz without a time zone is taken in UTC. A level of SELECT with OFFSET 0
 * stands wherever a value is read more than once, because the planner would otherwise compute it
 * once per mention, and conversions to a time zone are what costs.
 */

/** Whole calendar months from the month of `origin` to the month of `l`. */
export function monthsBetween(l: string, origin: string): string {
  const index = (time: string) => `extract(year FROM ${time}) * 12 + extract(month FROM ${time})`;
  return `(${index(l)} - (${index(origin)}))::int`;
}

/**
 * The local time `months` months after `origin`. Windows of months are counted from the origin and
 * never from each other, because a day that a short month does not have is cut only for that month.
 */
export function monthsAfter(origin: string, months: string): string {
  return `${origin} + make_interval(months => ${months})`;
}

/**
 * Start of the window of `n` months that holds the local time `l`, aligned to `origin`. In the
 * month of its start a time may come before it; then it is in the window before.
 */
export function monthsStart(l: string, n: string, origin: string): string {
  const months = `floor(${monthsBetween(l, origin)}::numeric / ${n})::int * ${n}`;
  return (
    `(SELECT CASE WHEN m.start <= m.l THEN m.start ELSE ${monthsAfter('m.o', 'm.months - m.n')} END ` +
    `FROM (SELECT m.*, ${monthsAfter('m.o', 'm.months')} AS start ` +
    `FROM (SELECT ${l} AS l, ${origin} AS o, ${n} AS n, ${months} AS months) AS m OFFSET 0) AS m)`
  );
}

/**
 * The least instant whose local date in zone `z` is that of the local midnight `x`, or a later one
 * where the zone skipped that date.
 *
 * Where midnight happens twice Postgres takes the later one; the earlier one is as far before it
 * as the offset fell during the 24 hours before. Where midnight does not happen Postgres takes the
 * offset before the gap, which gives the instant of the change if the gap begins at midnight.
 */
export function dayStart(x: string, z: string): string {
  const dayBefore = "(m.p - INTERVAL '24 hours') AT TIME ZONE m.z";
  const unusual =
    `(SELECT CASE WHEN f.fell > INTERVAL '0' AND (m.p - f.fell) AT TIME ZONE m.z = m.x THEN m.p - f.fell ` +
    `WHEN m.p AT TIME ZONE m.z > m.x THEN ${gapStart('m')} ELSE m.p END ` +
    `FROM (SELECT ${dayBefore} - (m.x - INTERVAL '24 hours') AS fell OFFSET 0) AS f)`;
  return (
    `(SELECT CASE WHEN ${dayBefore} = m.x - INTERVAL '24 hours' AND m.p AT TIME ZONE m.z = m.x THEN m.p ELSE ${unusual} END ` +
    `FROM (SELECT m.*, m.x AT TIME ZONE m.z AS p FROM (SELECT ${x} AS x, ${z} AS z OFFSET 0) AS m OFFSET 0) AS m)`
  );
}

/**
 * The instant of the change that skipped the local midnight `x` of row `row`, which Postgres
 * takes for the instant `p`: halved down to a second, for a gap may begin at 23:30.
 */
function gapStart(row: string): string {
  const [x, z, p] = ['x', 'z', 'p'].map((column) => `${row}.${column}`);
  return (
    `(WITH RECURSIVE gap (before, after) AS (SELECT ${p} - (${p} AT TIME ZONE ${z} - ${x}), ${p} UNION ALL ` +
    `SELECT CASE WHEN g.is_before THEN g.middle ELSE g.before END, CASE WHEN g.is_before THEN g.after ELSE g.middle END ` +
    `FROM (SELECT g.*, g.middle AT TIME ZONE ${z} < ${x} AS is_before ` +
    `FROM (SELECT gap.*, date_trunc('second', gap.before + (gap.after - gap.before) / 2) AS middle FROM gap ` +
    `WHERE gap.after - gap.before > INTERVAL '1 second') AS g) AS g) SELECT min(gap.after) FROM gap)`
  );
}

/**
 * The local midnight of the day that holds instant `t` in zone `z`: the last day that has started.
 * It differs from the local date while a clock that was set back over midnight repeats an hour of
 * the day before, which happens in the last hours of a local day.
 */
export function dayOf(t: string, z: string): string {
  return (
    `(SELECT CASE WHEN d.l - d.day < INTERVAL '21 hours' THEN d.day ` +
    `WHEN ${dayStart("d.day + INTERVAL '1 day'", 'd.z')} <= d.t THEN d.day + INTERVAL '1 day' ELSE d.day END ` +
    `FROM (SELECT d.*, date_trunc('day', d.l) AS day ` +
    `FROM (SELECT d.*, d.t AT TIME ZONE d.z AS l FROM (SELECT ${t} AS t, ${z} AS z OFFSET 0) AS d OFFSET 0) AS d OFFSET 0) AS d)`
  );
}

/**
 * The day of instant `t` of row `row`, whose zone is `z` and whose local time is `l`, where `holds`:
 * no clock was changed between 24 hours before that day's start and `t`. Then the start is as long
 * before `t` in real time as it is in local time, which takes one look at the zone and no subquery.
 * (No zone was ever changed and changed back within 72 hours.)
 */
export function steadyDay(row: string): { holds: string; day: string; start: string } {
  const day = `date_trunc('day', ${row}.l)`;
  const start = `(${row}.t - (${row}.l - ${day}))`;
  const dayBefore = `(${start} - INTERVAL '24 hours') AT TIME ZONE ${row}.z`;
  return { holds: `${dayBefore} = ${day} - INTERVAL '24 hours'`, day, start };
}

/**
 * The local midnight of the first of the `n` days that hold the local midnight `d`. A zone may have
 * skipped that day; the window then starts with the day after, and ends as if it had been there.
 */
export function daysFirstDay(d: string, n: string, origin: string): string {
  const days = `(${d})::date - (${origin})::date`;
  return `((${origin})::date + floor((${days})::numeric / ${n})::int * ${n})::timestamp`;
}

/** The same of the `n` months that hold it. */
export function monthsFirstDay(d: string, n: string, origin: string): string {
  return monthsStart(d, n, `date_trunc('day', ${origin})`);
}

/** The local date of a window of months moved on by whole months, counted from the origin's day. */
export function localMonthsLater(day: string, origin: string, months: string): string {
  const from = `date_trunc('day', ${origin})`;
  return monthsAfter(from, `${monthsBetween(day, from)} + (${months})::int`);
}
