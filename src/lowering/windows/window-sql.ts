import * as errors from '../../core/errors/windows.ts';
import { fixedMicros, microsPerDay } from '../../sql/interval-literal.ts';
import { bodyOf, type Node } from '../../sql/parse-tree.ts';
import type { Source } from '../../sql/source.ts';
import type { WindowArgument, WindowCall, WindowLength } from '../../sql/window-call.ts';
import { type Edits, type Pieces, template } from '../splice.ts';

/** The type of a window's time; undefined where the backend could not be asked. */
export type TimeType = 'date' | 'timestamp' | 'timestamptz' | undefined;

/** A window call with what its SQL depends on. */
export type TypedWindow = {
  readonly source: Source;
  /** Lowered inner constructs, applied inside the arguments. */
  readonly inner: Edits;
  readonly call: WindowCall;
  readonly timeType: TimeType;
  /** Where the time is computed already, as timestamp or timestamptz. */
  readonly timeColumn?: Pieces;
};

/**
 * How a length aligns windows.
 * - `fixed`: a number of microseconds, a day being 24 hours (as date_bin has it)
 * - `months`: whole calendar months
 * - `mixed`: months and shorter units; an end can be so far away, a start cannot
 * - `opaque`: a parameter or expression, known when the statement runs
 */
export type LengthKind = 'fixed' | 'months' | 'mixed' | 'opaque';

export function lengthKind(length: WindowLength): LengthKind {
  const { value } = length;
  if (value === undefined) return 'opaque';
  if (value.months === 0) return 'fixed';
  return fixedMicros(value) === 0n ? 'months' : 'mixed';
}

/** The argument as typed, with what is inside it lowered. */
export function argumentSql(window: TypedWindow, argument: WindowArgument): Pieces {
  const { source, inner } = window;
  return inner.render(source.startOf(argument.range), source.endOf(argument.range));
}

/** Where errors about an argument point. */
export function anchorOf(window: TypedWindow, argument: WindowArgument): number {
  return window.source.startOf(argument.range);
}

export function positionOf(window: TypedWindow, argument: WindowArgument): errors.At {
  return { position: window.source.positionOf(anchorOf(window, argument)) };
}

/** A length as an interval expression that can stand as an operand. */
export function lengthSql(window: TypedWindow, length: WindowLength): Pieces {
  const anchor = anchorOf(window, length);
  const text = argumentSql(window, length);
  if (isUntypedString(length.node)) return template('INTERVAL {0}', anchor, text);
  if (isIntervalConstant(window.source, length)) return text;
  return template(isParameter(length.node) ? '{0}::interval' : '({0})::interval', anchor, text);
}

/** A fixed length without days, so that adding it does not follow the session's time zone. */
export function hoursSql(window: TypedWindow, length: WindowLength): Pieces {
  const anchor = anchorOf(window, length);
  const { value } = length;
  if (value === undefined) {
    return template(
      "(extract(epoch FROM {0}) * INTERVAL '1 second')",
      anchor,
      lengthSql(window, length),
    );
  }
  if (value.days === 0) return lengthSql(window, length);
  return template(intervalText(fixedMicros(value)), anchor);
}

/**
 * An interval literal of this many microseconds, in hours and shorter. Servers before 15 take no
 * number of more than 32 bits in it, so one unit is not always enough.
 */
export function intervalText(micros: bigint): string {
  const scales = [
    [3_600_000_000n, 'hour'],
    [60_000_000n, 'minute'],
    [1_000_000n, 'second'],
    [1n, 'microsecond'],
  ] as const;
  const parts: string[] = [];
  let rest = micros;
  for (const [scale, unit] of scales) {
    const count = rest / scale;
    rest %= scale;
    if (count > 0n) parts.push(`${count} ${unit}${count === 1n ? '' : 's'}`);
  }
  return `INTERVAL '${parts.join(' ') || '0'}'`;
}

/** The time as timestamp or timestamptz: dates count from their midnight. */
export function timeSql(window: TypedWindow): Pieces {
  return window.timeColumn ?? typedTimeSql(window, argumentSql(window, window.call.time));
}

/** The same for a time that is already computed somewhere, such as a column. */
export function typedTimeSql(window: TypedWindow, time: Pieces): Pieces {
  const anchor = anchorOf(window, window.call.time);
  const isName = bodyOf(window.call.time.node, 'ColumnRef') !== undefined;
  const operand = isName ? time : template('({0})', anchor, time);
  switch (window.timeType) {
    case 'date':
      return template('{0}::timestamp', anchor, operand);
    case undefined:
      // date + interval is timestamp; the other two types stay what they are.
      return template("{0} + INTERVAL '0'", anchor, operand);
    default:
      return time;
  }
}

/**
 * Whether a time is in some window: neither NULL nor infinite. Written so that the planner expects
 * nearly all rows to stay; of isfinite() it expects a third.
 */
export function inWindowSql(time: string): string {
  return `${time} <> 'infinity' AND ${time} <> '-infinity'`;
}

/** Where fixed windows are aligned. */
export function originSql(window: TypedWindow): Pieces {
  const { origin } = window.call;
  if (origin === undefined) {
    const anchor = anchorOf(window, window.call.time);
    // Without a type it is of the time's: a prepared statement is analysed anew when a column
    // has become timestamptz, and a timestamp would then be taken for local time.
    return template(`${window.timeType === 'date' ? 'TIMESTAMP ' : ''}'epoch'`, anchor);
  }
  const anchor = anchorOf(window, origin);
  const text = argumentSql(window, origin);
  if (window.timeType === undefined) return text;
  const type = window.timeType === 'timestamptz' ? 'timestamptz' : 'timestamp';
  return template(`({0})::${type}`, anchor, text);
}

/** Refuses sizes that can never make a window. Opaque ones fail when the statement runs. */
export function checkLength(window: TypedWindow, length: WindowLength, argument: string): void {
  const { value } = length;
  if (value === undefined) return;
  const at = positionOf(window, length);
  const fixed = fixedMicros(value);
  if (value.months < 0 || fixed < 0n || (value.months === 0 && fixed === 0n)) {
    throw errors.windowSizeNotPositive(argument, describeLength(window, length), at);
  }
}

/** What a window is aligned by must be months alone or shorter units alone. */
export function checkAlignment(window: TypedWindow, length: WindowLength, argument: string): void {
  if (lengthKind(length) !== 'mixed') return;
  const at = positionOf(window, length);
  throw errors.windowSizeMixed(argument, describeLength(window, length), at);
}

/** In a time zone a day is not 24 hours, so days and hours do not mix either. */
export function checkZone(window: TypedWindow, length: WindowLength, argument: string): void {
  const { value } = length;
  if (value === undefined || lengthKind(length) === 'months') return;
  const isWholeDays = value.micros === 0n && value.months === 0;
  const isWithinDay = value.days === 0 && value.months === 0 && value.micros < microsPerDay;
  if (isWholeDays || isWithinDay) return;
  const at = positionOf(window, length);
  throw errors.zoneSizeNotWhole(argument, describeLength(window, length), at);
}

/** A length as Postgres prints it, for DETAIL. */
export function describeLength(_window: TypedWindow, length: WindowLength): string {
  const { months, days, micros } = length.value!;
  const parts: string[] = [];
  const years = Math.trunc(months / 12);
  const count = (n: number, unit: string) => `${n} ${unit}${n === 1 ? '' : 's'}`;
  if (years !== 0) parts.push(count(years, 'year'));
  if (months % 12 !== 0) parts.push(count(months % 12, 'mon'));
  if (days !== 0) parts.push(count(days, 'day'));
  if (micros !== 0n || parts.length === 0) parts.push(clockText(micros));
  return parts.join(' ');
}

function clockText(micros: bigint): string {
  const magnitude = micros < 0n ? -micros : micros;
  const seconds = magnitude / 1_000_000n;
  const pad = (n: bigint) => n.toString().padStart(2, '0');
  const fraction = (magnitude % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  const clock = `${pad(seconds / 3600n)}:${pad((seconds / 60n) % 60n)}:${pad(seconds % 60n)}`;
  return `${micros < 0n ? '-' : ''}${clock}${fraction === '' ? '' : `.${fraction}`}`;
}

function isUntypedString(node: Node): boolean {
  return bodyOf(node, 'A_Const')?.['sval'] !== undefined;
}

function isParameter(node: Node): boolean {
  return bodyOf(node, 'ParamRef') !== undefined;
}

/** `INTERVAL '...'`: needs no brackets and no cast. */
function isIntervalConstant(source: Source, length: WindowLength): boolean {
  return length.value !== undefined && source.isWord(length.range.from, 'interval');
}
