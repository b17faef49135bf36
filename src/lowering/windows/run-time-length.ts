import type { WindowLength } from '../../sql/window-call.ts';
import { type Pieces, template } from '../splice.ts';
import { anchorOf, hoursSql, lengthKind, lengthSql, type TypedWindow } from './window-sql.ts';

/** What the server says when a length breaks a rule at run time; known again by these words. */
export const runTimeFailures = {
  notPositive: 'the window size must be positive',
  months: 'the session gap cannot hold months or years',
  notWhole: 'the window size in a time zone must be whole days, whole months or within a day',
} as const;

type Branch = { readonly when: string; readonly fails: keyof typeof runTimeFailures };

const months = 'extract(year FROM c.s) * 12 + extract(month FROM c.s)';

const notPositive: Branch = { when: "c.s <= INTERVAL '0'", fails: 'notPositive' };
const hasMonths: Branch = { when: `${months} <> 0`, fails: 'months' };
const isNotWhole: Branch = {
  when:
    `c.s NOT IN (make_interval(months => (${months})::int), ` +
    'make_interval(days => extract(day FROM c.s)::int)) ' +
    `AND (c.s >= INTERVAL '1 day' OR ${months} <> 0 ` +
    'OR extract(day FROM c.s) <> 0)',
  fails: 'notWhole',
};

/** The gap of a SESSION in hours and shorter. */
export function gapSql(window: TypedWindow): Pieces {
  const { size } = window.call;
  if (lengthKind(size) !== 'opaque') return hoursSql(window, size);
  const hours = "extract(epoch FROM c.s) * INTERVAL '1 second'";
  return checkedSql(window, size, [notPositive, hasMonths], hours);
}

/** The size of a window in a time zone. */
export function zoneSizeSql(window: TypedWindow): Pieces {
  const { size } = window.call;
  if (lengthKind(size) !== 'opaque') return lengthSql(window, size);
  return checkedSql(window, size, [notPositive, isNotWhole], 'c.s');
}

/**
 * A length that fails when it is read and breaks a rule. A subquery that reads nothing of the rows
 * is computed once. The failure is a cast of words that are no interval, which the planner does not
 * try in advance: the cast is stable and the words depend on the length.
 */
function checkedSql(
  window: TypedWindow,
  length: WindowLength,
  rules: readonly Branch[],
  value: string,
): Pieces {
  const failures = rules.map(
    ({ when, fails }) =>
      `WHEN ${when} THEN ('${runTimeFailures[fails]}, not ' || c.s::text)::interval `,
  );
  const cases = `${failures.join('')}ELSE ${value}`;
  const text = `(SELECT CASE ${cases} END FROM (SELECT {0} AS s) AS c)`;
  return template(text, anchorOf(window, length), lengthSql(window, length));
}

/** ` AND length IS NOT NULL` for a length the text does not tell: NULL makes no window. */
export function knownLengthSql(window: TypedWindow, length: Pieces): Pieces {
  const { size } = window.call;
  if (lengthKind(size) !== 'opaque') return [];
  return template(' AND {0} IS NOT NULL', anchorOf(window, size), length);
}

/**
 * How many windows to try of a HOP whose lengths are not known yet. date_bin fails for a stride
 * that is not positive or has months: here where the slide is, or where it exceeds the size.
 * Whoever reads rows reads this number first, which is why it is checked here.
 */
export function checkedCountSql(window: TypedWindow, count: Pieces): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const slide = window.call.slide!;
  const stride = (length: string) =>
    `isfinite(date_bin(${length}, TIMESTAMP 'epoch', TIMESTAMP 'epoch'))`;
  const checks = lengthKind(slide) === 'opaque' ? [stride('{1}')] : [];
  checks.push(stride("{0} - {1} + INTERVAL '1 microsecond'"));
  const text = `CASE WHEN ${checks.join(' AND ')} THEN {2} END`;
  const size = lengthSql(window, window.call.size);
  return template(text, anchor, size, lengthSql(window, slide), count);
}
