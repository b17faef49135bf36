import * as errors from '../../core/errors/windows.ts';
import type { GroupedWindow } from '../../sql/grouped-window.ts';
import { fixedMicros, microsPerDay } from '../../sql/interval-literal.ts';
import type { WindowCall } from '../../sql/window-call.ts';
import { type Pieces, template } from '../splice.ts';
import {
  dayOf,
  dayStart,
  daysFirstDay,
  localMonthsLater,
  monthsAfter,
  monthsBetween,
  monthsFirstDay,
  monthsStart,
} from './calendar.ts';
import {
  addSql,
  localOriginSql,
  monthsLaterSql,
  monthsSql,
  requireInstant,
  requireType,
  zoneOriginSql,
  zoneSql,
} from './calendar-window.ts';
import { rowsAlias, rowsTable, type WindowSource, windowsAlias } from './grouped.ts';
import { checkedCountSql } from './run-time-length.ts';
import {
  checkAlignment,
  checkLength,
  checkZone,
  describeLength,
  hoursSql,
  intervalText,
  inWindowSql,
  lengthKind,
  lengthSql,
  originSql,
  positionOf,
  type TypedWindow,
} from './window-sql.ts';

/** Refuses a HOP that cannot be right, whatever the rows. */
export function checkHop(window: TypedWindow): void {
  const { call } = window;
  const slide = call.slide!;
  checkLength(window, slide, 'slide');
  checkLength(window, call.size, 'size');
  checkAlignment(window, slide, 'slide');
  if (call.zone !== undefined) {
    requireInstant(window);
    checkZone(window, slide, 'slide');
    checkZone(window, call.size, 'size');
  } else if (isCalendar(window.call)) requireType(window);
  const exceeds = shortest(slide.value) > longest(call.size.value);
  if (slide.value === undefined || call.size.value === undefined || !exceeds) return;
  throw errors.hopSlideExceedsSize(
    describeLength(window, slide),
    describeLength(window, call.size),
    positionOf(window, slide),
  );
}

type Value = NonNullable<TypedWindow['call']['size']['value']>;

/** The least and the most microseconds a length can last. */
function shortest(value: Value | undefined): bigint {
  if (value === undefined) return 0n;
  return (
    BigInt(Math.floor(value.months * 30.4) - 3 * Math.min(value.months, 1)) * microsPerDay +
    fixedMicros(value)
  );
}

function longest(value: Value | undefined): bigint {
  if (value === undefined) return 0n;
  return (
    BigInt(Math.ceil(value.months * 30.5) + 3 * Math.min(value.months, 1)) * microsPerDay +
    fixedMicros(value)
  );
}

/** Whether windows have to be found by the calendar instead of by dividing microseconds. */
export function isCalendar(call: WindowCall): boolean {
  if (call.zone !== undefined) return true;
  return [call.slide!, call.size].some((length) =>
    ['months', 'mixed'].includes(lengthKind(length)),
  );
}

/** Row expansion: every row once per window it is in. */
export function expandHop(grouped: GroupedWindow, window: TypedWindow): WindowSource {
  const rows = rowsTable(grouped, window);
  const table = isCalendar(window.call)
    ? calendarExpansion(window, rows)
    : fixedExpansion(window, rows);
  return {
    table: template(`{0} AS ${windowsAlias}`, window.source.startOf(grouped.clauses.whole), table),
    end: hopEnd(window, template(`${windowsAlias}.w`, window.source.startOf(window.call.range))),
    aggregates: new Map(),
  };
}

/** `(SELECT rows.*, start AS w ...)` for lengths in microseconds. */
export function fixedExpansion(window: TypedWindow, rows: Pieces): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const { call } = window;
  // The start of the last window is computed once per row; OFFSET 0 keeps the planner from
  // computing it once per row and window.
  const text =
    `(SELECT ${rowsAlias}.*, ${rowsAlias}.last - heliosdb_steps.back AS w ` +
    `FROM (SELECT ${rowsAlias}.*, date_bin({0}, ${rowsAlias}.t, {1}) AS last FROM {2} WHERE {3} OFFSET 0) AS ${rowsAlias} ` +
    `CROSS JOIN {4}{5})`;
  const isWhole = isMultiple(window);
  const beyond = isWhole
    ? []
    : template(
        ` WHERE ${rowsAlias}.t < ${rowsAlias}.last - heliosdb_steps.back + {0}`,
        anchor,
        hoursSql(window, call.size),
      );
  return template(
    text,
    anchor,
    lengthSql(window, call.slide!),
    originSql(window),
    rows,
    finiteRows(window),
    stepsTable(window, 'up'),
    beyond,
  );
}

/** The rows in some window. */
export function finiteRows(window: TypedWindow): Pieces {
  return template(inWindowSql(`${rowsAlias}.t`), window.source.startOf(window.call.range));
}

/** Whether the size is known to be a whole number of slides. */
export function isMultiple(window: TypedWindow): boolean {
  const { slide, size } = window.call;
  if (slide?.value === undefined || size.value === undefined) return false;
  return fixedMicros(size.value) % fixedMicros(slide.value) === 0n;
}

/**
 * The distances from the last window a row is in back to the others, one row each. A constant
 * count lets the planner know how many rows come out.
 */
export function stepsTable(window: TypedWindow, rounding: 'up' | 'down'): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const { size } = window.call;
  const slide = window.call.slide!;
  let count: Pieces;
  if (slide.value !== undefined && size.value !== undefined) {
    const [all, step] = [fixedMicros(size.value), fixedMicros(slide.value)];
    const whole = all / step;
    const last = rounding === 'down' ? whole : all % step === 0n ? whole - 1n : whole;
    count = template(`${last}`, anchor);
  } else {
    const ratio = 'extract(epoch FROM {0}) / nullif(extract(epoch FROM {1}), 0)';
    const text = rounding === 'down' ? `floor(${ratio})::int` : `ceil(${ratio})::int - 1`;
    const lengths = [lengthSql(window, size), lengthSql(window, slide)];
    count = checkedCountSql(window, template(text, anchor, ...lengths));
  }
  const text =
    '(SELECT n, n * {0} AS back FROM generate_series(0, {1}) AS n OFFSET 0) AS heliosdb_steps';
  return template(text, anchor, hoursSql(window, slide), count);
}

/** The end of the window that starts at `start`. */
export function hopEnd(window: TypedWindow, start: Pieces): Pieces {
  const { call } = window;
  const anchor = window.source.startOf(call.range);
  const size = lengthSql(window, call.size);
  if (call.zone !== undefined) {
    const text = `(SELECT ${zoneEnd(window, 'w')} FROM (SELECT {0} AS w, {1} AS z, {2} AS size, {3} AS o) AS w)`;
    return template(text, anchor, start, zoneSql(window), size, zoneOriginSql(window));
  }
  if (countsMonths(window)) return monthsLaterSql(window, start, monthsSql(window, call.size));
  if (isCalendar(window.call)) return addSql(window, start, size);
  return template('({0} + {1})', anchor, start, hoursSql(window, call.size));
}

/** Whether slide and size are both months, so that starts and ends are counted from the origin. */
function countsMonths(window: TypedWindow): boolean {
  return lengthKind(window.call.slide!) === 'months' && lengthKind(window.call.size) === 'months';
}

/**
 * End of the window that starts at instant `w` of row `row`, which also has z, size and o: real
 * time within a day, local dates from a day on.
 */
function zoneEnd(window: TypedWindow, row: string): string {
  const { slide, size } = window.call;
  const { months, days } = size.value!;
  if (months === 0 && days === 0) return `${row}.w + ${row}.size`;
  if (slide!.value!.micros !== 0n) {
    return `(${row}.w AT TIME ZONE ${row}.z + ${row}.size) AT TIME ZONE ${row}.z`;
  }
  const day = slideDay(slide!.value!, dayOf(`${row}.w`, `${row}.z`), `${row}.o`);
  const later = countsMonths(window)
    ? localMonthsLater(day, `${row}.o`, `${months}`)
    : `(${day}) + ${row}.size`;
  return dayStart(later, `${row}.z`);
}

/** The local midnight the slide that holds the local midnight `d` is counted from. */
function slideDay(slide: Value, d: string, origin: string): string {
  if (slide.months > 0) return monthsFirstDay(d, `${slide.months}`, origin);
  return daysFirstDay(d, `${slide.days}`, origin);
}

/** Candidate windows of each row by the calendar, kept when they hold the row. */
export function calendarExpansion(window: TypedWindow, rows: Pieces): Pieces {
  return window.call.zone === undefined ? utcExpansion(window, rows) : zoneExpansion(window, rows);
}

function candidateCountSql(window: TypedWindow): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const { size } = window.call;
  const slide = window.call.slide!;
  if (slide.value !== undefined && size.value !== undefined) {
    return template(`${candidateCount(window)}`, anchor);
  }
  const text = '(extract(epoch FROM {0}) / nullif(extract(epoch FROM {1}), 0))::int + 2';
  const lengths = [lengthSql(window, size), lengthSql(window, slide)];
  return checkedCountSql(window, template(text, anchor, ...lengths));
}

function candidateCount(window: TypedWindow): bigint {
  const slide = shortest(window.call.slide!.value);
  const size = longest(window.call.size.value);
  return size / (slide > 0n ? slide : 1n) + 1n;
}

function utcExpansion(window: TypedWindow, rows: Pieces): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const slide = window.call.slide!;
  const toLocal = window.timeType === 'timestamptz' ? " AT TIME ZONE 'UTC'" : '';
  const step = slide.value?.months ?? 0;
  const last = step > 0 ? monthsStart('r.l', `${step}`, 'r.o') : 'date_bin(r.slide, r.l, r.o)';
  const moved = (months: string) =>
    monthsAfter('r.o', `${monthsBetween('r.last', 'r.o')} ${months}`);
  const start = step > 0 ? moved(`- n * ${step}`) : 'r.last - n * r.slide';
  const end = countsMonths(window)
    ? moved(`- n * ${step} + ${window.call.size.value!.months}`)
    : `(${start}) + r.size`;
  const text =
    `(SELECT s.*, s.start${toLocal} AS w FROM (SELECT r.*, ${start} AS start, ${end} AS finish FROM (` +
    `SELECT r.*, ${last} AS last FROM (` +
    `SELECT ${rowsAlias}.*, ${rowsAlias}.t${toLocal} AS l, {0} AS o, {1} AS slide, {2} AS size FROM {3} WHERE {4}` +
    `) AS r OFFSET 0) AS r CROSS JOIN generate_series(0, {5}) AS n) AS s ` +
    'WHERE s.l < s.finish)';
  return template(
    text,
    anchor,
    localOriginSql(window),
    step > 0 ? template('NULL::interval', anchor) : hoursSql(window, slide),
    lengthSql(window, window.call.size),
    rows,
    finiteRows(window),
    candidateCountSql(window),
  );
}

function zoneExpansion(window: TypedWindow, rows: Pieces): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const slide = window.call.slide!;
  if (slide.value === undefined || window.call.size.value === undefined) {
    throw errors.windowUnsupportedHere(
      window.call.name,
      'a parameter as slide or size in a time zone',
      'Write the slide and the size as constants.',
      { position: window.call.position },
    );
  }
  const withinDay = slide.value.months === 0 && slide.value.days === 0;
  const days = Number(longest(window.call.size.value) / microsPerDay) + 2;
  const perDay = withinDay ? Number((26n * 3_600_000_000n) / slide.value.micros) : 0;
  const step = slide.value.months > 0 ? slide.value.months : slide.value.days;
  const first = slideDay(slide.value, 'r.d', 'r.o');
  const count = withinDay ? days : Number(candidateCount(window)) + 1;
  const firstMoved =
    slide.value.months > 0
      ? localMonthsLater(first, 'r.o', `- n * ${step}`)
      : `(${first}) - n * INTERVAL '${step} days'`;
  const day = withinDay ? `r.d - n * INTERVAL '1 day'` : firstMoved;
  const start = withinDay
    ? `${dayStart('c.day', 'c.z')} + i * ${intervalText(slide.value.micros)}`
    : dayStart('c.day', 'c.z');
  const next = dayStart(withinDay ? "s.day + INTERVAL '1 day'" : nextSlide(step), 's.z');
  // Of two slides that start together, because a zone skipped a day, the second is the window.
  const cut = withinDay
    ? `s.w < ${next}`
    : `(s.w AT TIME ZONE s.z < s.day + INTERVAL '1 day' OR s.w < ${next})`;
  const text =
    `(SELECT s.* FROM (SELECT c.*, ${start} AS w FROM (` +
    `SELECT r.*, ${day} AS day FROM (` +
    `SELECT r.*, ${dayOf('r.t', 'r.z')} AS d FROM (` +
    `SELECT ${rowsAlias}.*, {0} AS z, {1} AS o, {2} AS size FROM {3} WHERE {4}` +
    `) AS r OFFSET 0) AS r CROSS JOIN generate_series(0, ${count}) AS n` +
    `) AS c CROSS JOIN generate_series(0, ${perDay}) AS i OFFSET 0) AS s ` +
    `WHERE s.w <= s.t AND s.t < ${zoneEnd(window, 's')} AND ${cut})`;
  return template(
    text,
    anchor,
    zoneSql(window),
    zoneOriginSql(window),
    lengthSql(window, window.call.size),
    rows,
    finiteRows(window),
  );

  function nextSlide(count: number): string {
    return slide.value!.months > 0
      ? localMonthsLater('s.day', 's.o', `${count}`)
      : `s.day + INTERVAL '${count} days'`;
  }
}
