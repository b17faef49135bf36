import type { PgError } from '../../core/errors/pg-error.ts';
import * as errors from '../../core/errors/windows.ts';
import type { GroupedWindow } from '../../sql/grouped-window.ts';
import { hasSeveralTimes, type WindowCall } from '../../sql/window-call.ts';
import { type Pieces, template } from '../splice.ts';
import {
  dayOf,
  dayStart,
  daysFirstDay,
  localMonthsLater,
  monthsFirstDay,
  monthsStart,
  steadyDay,
} from './calendar.ts';
import {
  addSql,
  fromLocal,
  localOriginSql,
  localTimeSql,
  monthsLaterSql,
  monthsSql,
  requireInstant,
  requireType,
  zoneOriginSql,
  zoneSql,
} from './calendar-window.ts';
import { rowsAlias, rowsTable, type WindowSource, windowsAlias } from './grouped.ts';
import { knownLengthSql, zoneSizeSql } from './run-time-length.ts';
import {
  anchorOf,
  checkAlignment,
  checkLength,
  checkZone,
  hoursSql,
  inWindowSql,
  lengthKind,
  lengthSql,
  originSql,
  type TypedWindow,
  timeSql,
} from './window-sql.ts';

/** TUMBLE, TUMBLE_START or TUMBLE_END as a scalar expression that can stand as an operand. */
export function tumbleSql(window: TypedWindow): Pieces {
  checkTumble(window);
  const start = startSql(window);
  return window.call.edge === 'start' ? start : tumbleEnd(window, start);
}

/** The start, whichever edge the call names. */
export function tumbleStart(window: TypedWindow): Pieces {
  return tumbleSql({ ...window, call: { ...window.call, edge: 'start' } });
}

function checkTumble(window: TypedWindow): void {
  checkLength(window, window.call.size, 'size');
  checkAlignment(window, window.call.size, 'size');
}

/**
 * Whether a level grouped by this window is taken apart like one of HOP: where a row has several
 * times, and where the start takes a subquery, because an expression around it (its end) would not
 * be recognised as grouped.
 */
export function needsRows(call: WindowCall): boolean {
  // HAVING and WHERE, where rows without a window would be left out, take no such time.
  return hasSeveralTimes(call) || takesSubquery(call);
}

/** Refuses a set-returning time where it would be in a subquery, which is one value. */
export function checkTimes(call: WindowCall): void {
  if (hasSeveralTimes(call) && takesSubquery(call)) throw severalTimes(call);
}

/** Where a set-returning time cannot be lowered. */
export function severalTimes({ name, position }: WindowCall): PgError {
  const hint = 'Call the function in FROM.';
  return errors.windowUnsupportedHere(name, 'a set-returning time here', hint, { position });
}

function takesSubquery(call: WindowCall): boolean {
  if (call.zone !== undefined) return true;
  const kind = lengthKind(call.size);
  return kind === 'opaque' || (kind === 'months' && monthsUnit(call) === undefined);
}

/** The rows of a level with the window each is in. */
export function tumbleRows(grouped: GroupedWindow, window: TypedWindow): WindowSource {
  checkTumble(window);
  const anchor = window.source.startOf(window.call.range);
  const column = { ...window, timeColumn: template(`${rowsAlias}.t`, anchor) };
  const text = `(SELECT ${rowsAlias}.*, {0} AS w FROM {1} WHERE ${inWindowSql(`${rowsAlias}.t`)}{2}) AS ${windowsAlias}`;
  const known = knownLengthSql(window, lengthSql(window, window.call.size));
  return {
    table: template(text, anchor, startSql(column), rowsTable(grouped, window), known),
    end: tumbleEnd(window, template(`${windowsAlias}.w`, anchor)),
    aggregates: new Map(),
  };
}

function startSql(window: TypedWindow): Pieces {
  if (window.call.zone !== undefined) return zoneStartSql(window);
  switch (lengthKind(window.call.size)) {
    case 'fixed':
      return binSql(window);
    case 'months':
      return calendarSql(window);
    default:
      return window.timeType === undefined ? binSql(window) : opaqueSql(window);
  }
}

/** What an expert writes by hand. */
function binSql(window: TypedWindow): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const size = lengthSql(window, window.call.size);
  return template('date_bin({0}, {1}, {2})', anchor, size, timeSql(window), originSql(window));
}

/** The unit date_trunc knows for windows of so many months since the epoch. */
function monthsUnit(call: WindowCall): string | undefined {
  if (call.origin !== undefined) return undefined;
  return { 1: 'month', 3: 'quarter', 12: 'year' }[call.size.value!.months];
}

function calendarSql(window: TypedWindow): Pieces {
  const { call } = window;
  requireType(window);
  const unit = monthsUnit(call);
  if (unit !== undefined) {
    const anchor = window.source.startOf(call.range);
    return fromLocal(window, template(`date_trunc('${unit}', {0})`, anchor, localTimeSql(window)));
  }
  return boundMonthsSql(window);
}

/** The general month arithmetic, its operands computed once. */
function boundMonthsSql(window: TypedWindow): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const text =
    `(SELECT CASE WHEN isfinite(w.l) THEN ${monthsStart('w.l', 'w.n', 'w.o')} ELSE w.l END ` +
    'FROM (SELECT {0} AS l, {1} AS n, {2} AS o OFFSET 0) AS w)';
  const months = monthsSql(window, window.call.size);
  const start = template(text, anchor, localTimeSql(window), months, localOriginSql(window));
  return fromLocal(window, start);
}

/** A size only known at run time: months alone follow the calendar, anything else date_bin. */
function opaqueSql(window: TypedWindow): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const text = 'CASE WHEN {0} THEN {1} ELSE {2} END';
  return template(text, anchor, isMonthsSql(window), boundMonthsSql(window), binSql(window));
}

/** The end of the window that starts at `start`. */
export function tumbleEnd(window: TypedWindow, start: Pieces): Pieces {
  const { call } = window;
  const anchor = window.source.startOf(call.range);
  if (call.zone !== undefined) return zoneEndSql(window, start);
  if (lengthKind(call.size) === 'fixed' || window.timeType === undefined) {
    return template('({0} + {1})', anchor, start, hoursSql(window, call.size));
  }
  const size = lengthSql(window, call.size);
  const added = addSql(window, start, size);
  // A month starts where the origin's day is cut, so a window of months ends where the next starts.
  if (call.origin === undefined) return added;
  const counted = monthsLaterSql(window, start, monthsSql(window, call.size));
  if (call.size.value !== undefined) return counted;
  return template(
    'CASE WHEN {0} THEN {1} ELSE {2} END',
    anchor,
    isMonthsSql(window),
    counted,
    added,
  );
}

/** Whether a size only known at run time is months and nothing else. */
function isMonthsSql(window: TypedWindow): Pieces {
  const { size } = window.call;
  const text = "{0} > 0 AND {1} - make_interval(months => {0}) = INTERVAL '0'";
  return template(text, anchorOf(window, size), monthsSql(window, size), lengthSql(window, size));
}

function zoneStartSql(window: TypedWindow): Pieces {
  const { call } = window;
  requireInstant(window);
  checkZone(window, call.size, 'size');
  const anchor = window.source.startOf(call.range);
  const steady = steadyDay('b');
  const unusual =
    `(SELECT ${zoneStartOf('d', window, { day: 'd.day', start: dayStart('d.day', 'd.z') })} ` +
    `FROM (SELECT b.*, ${dayOf('b.t', 'b.z')} AS day OFFSET 0) AS d)`;
  const text =
    `(SELECT CASE WHEN isfinite(b.t) IS NOT TRUE THEN b.t WHEN ${steady.holds} THEN ${zoneStartOf('b', window, steady)} ELSE ${unusual} END ` +
    'FROM (SELECT w.*, w.t AT TIME ZONE w.z AS l FROM (SELECT {0} AS t, {1} AS z, {2} AS o, {3} AS s) AS w OFFSET 0) AS b)';
  const size = zoneSizeSql(window);
  return template(text, anchor, timeSql(window), zoneSql(window), zoneOriginSql(window), size);
}

/** Start of the window that holds instant t of row `row`, which also has z, o and s (the size). */
function zoneStartOf(
  row: string,
  window: TypedWindow,
  local: { readonly day: string; readonly start: string },
): string {
  const [z, o, s] = ['z', 'o', 's'].map((column) => `${row}.${column}`) as [string, string, string];
  const within = `date_bin(${s}, ${row}.t, ${local.start})`;
  const days = (n: string) => dayStart(daysFirstDay(local.day, n, o), z);
  const months = (n: string) => dayStart(monthsFirstDay(local.day, n, o), z);
  const { value } = window.call.size;
  if (value !== undefined) {
    if (value.months > 0) return months(`${value.months}`);
    if (value.days === 1) return local.start;
    return value.days > 0 ? days(`${value.days}`) : within;
  }
  const n = `(extract(year FROM ${s}) * 12 + extract(month FROM ${s}))::int`;
  const isWhole = (part: string) => `${s} - ${part} = INTERVAL '0'`;
  return (
    `CASE WHEN ${n} > 0 AND ${isWhole(`make_interval(months => ${n})`)} THEN ${months(n)} ` +
    `WHEN extract(day FROM ${s}) > 0 AND ${isWhole(`make_interval(days => extract(day FROM ${s})::int)`)} ` +
    `THEN ${days(`extract(day FROM ${s})::int`)} ELSE ${within} END`
  );
}

/** A window shorter than a day is cut where the next day starts. */
function zoneEndSql(window: TypedWindow, start: Pieces): Pieces {
  const { call } = window;
  const anchor = window.source.startOf(call.range);
  const { value } = call.size;
  const tomorrow = dayStart("b.d + INTERVAL '1 day'", 'b.z');
  const within = `LEAST(b.t + b.s, ${tomorrow})`;
  const n = (parts: string) => `(${parts})::int`;
  const dayCount = value === undefined ? n('extract(day FROM b.s)') : `${value.days}`;
  const whole = dayStart(`${daysFirstDay('b.d', dayCount, 'b.o')} + b.s`, 'b.z');
  const monthCount =
    value === undefined
      ? n('extract(year FROM b.s) * 12 + extract(month FROM b.s)')
      : `${value.months}`;
  const firstDay = monthsFirstDay('b.d', monthCount, 'b.o');
  const months = dayStart(localMonthsLater(firstDay, 'b.o', monthCount), 'b.z');
  const opaque = `CASE WHEN b.s < INTERVAL '1 day' THEN ${within} WHEN b.s >= INTERVAL '1 month' THEN ${months} ELSE ${whole} END`;
  const known =
    value === undefined ? opaque : value.months > 0 ? months : value.days > 0 ? whole : within;
  const text =
    `(SELECT CASE WHEN isfinite(b.t) THEN ${known} ELSE b.t END ` +
    `FROM (SELECT w.*, CASE WHEN isfinite(w.t) THEN ${dayOf('w.t', 'w.z')} END AS d ` +
    'FROM (SELECT {0} AS t, {1} AS z, {2} AS s, {3} AS o OFFSET 0) AS w OFFSET 0) AS b)';
  const size = zoneSizeSql(window);
  return template(text, anchor, start, zoneSql(window), size, zoneOriginSql(window));
}
