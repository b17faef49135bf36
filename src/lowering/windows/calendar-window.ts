import * as errors from '../../core/errors/windows.ts';
import type { WindowLength } from '../../sql/window-call.ts';
import { type Pieces, template } from '../splice.ts';
import { monthsAfter, monthsBetween } from './calendar.ts';
import {
  anchorOf,
  argumentSql,
  lengthSql,
  originSql,
  positionOf,
  type TypedWindow,
  timeSql,
} from './window-sql.ts';

/** Adds an interval to a start, days and months in UTC where no zone was given. */
export function addSql(window: TypedWindow, start: Pieces, length: Pieces): Pieces {
  const anchor = window.source.startOf(window.call.range);
  return window.timeType === 'timestamptz'
    ? template("(({0} AT TIME ZONE 'UTC' + {1}) AT TIME ZONE 'UTC')", anchor, start, length)
    : template('({0} + {1})', anchor, start, length);
}

/** The time as a timestamp without time zone. */
export function localTimeSql(window: TypedWindow): Pieces {
  const anchor = anchorOf(window, window.call.time);
  const time = timeSql(window);
  return window.timeType === 'timestamptz'
    ? template("({0}) AT TIME ZONE 'UTC'", anchor, time)
    : time;
}

/** The origin as a timestamp without time zone. */
export function localOriginSql(window: TypedWindow): Pieces {
  const { origin, time } = window.call;
  const anchor = anchorOf(window, origin ?? time);
  if (origin === undefined) return template("TIMESTAMP 'epoch'", anchor);
  const typed = originSql(window);
  return window.timeType === 'timestamptz'
    ? template("{0} AT TIME ZONE 'UTC'", anchor, typed)
    : typed;
}

/** Back from local (UTC) time to the type of the window's time. */
export function fromLocal(window: TypedWindow, local: Pieces): Pieces {
  const anchor = window.source.startOf(window.call.range);
  return window.timeType === 'timestamptz'
    ? template("(({0}) AT TIME ZONE 'UTC')", anchor, local)
    : template('({0})', anchor, local);
}

export function requireType(window: TypedWindow): void {
  if (window.timeType !== undefined) return;
  throw errors.windowTimeTypeUnknown(window.call.name, positionOf(window, window.call.time));
}

/** Windows in a time zone are of instants. */
export function requireInstant(window: TypedWindow): void {
  requireType(window);
  if (window.timeType === 'timestamptz') return;
  const type = window.timeType === 'date' ? 'date' : 'timestamp without time zone';
  throw errors.zoneNeedsTimestamptz(type, positionOf(window, window.call.zone!));
}

/** The zone as text, whatever string type it was given as. */
export function zoneSql(window: TypedWindow): Pieces {
  const zone = window.call.zone!;
  return template('({0})::text', anchorOf(window, zone), argumentSql(window, zone));
}

/** Where days and months in a zone are aligned: a local date. */
export function zoneOriginSql(window: TypedWindow): Pieces {
  const { origin, time } = window.call;
  const anchor = anchorOf(window, origin ?? time);
  if (origin === undefined) return template("TIMESTAMP 'epoch'", anchor);
  return template('({0})::timestamp', anchor, argumentSql(window, origin));
}

/** The start of a window of months moved on by whole months, counted from the origin. */
export function monthsLaterSql(window: TypedWindow, start: Pieces, months: Pieces): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const local =
    window.timeType === 'timestamptz'
      ? template("({0} AT TIME ZONE 'UTC')", anchor, start)
      : template('{0}', anchor, start);
  const moved = monthsAfter('{1}', `${monthsBetween('{0}', '{1}')} + {2}`);
  const later = `CASE WHEN isfinite({0}) THEN ${moved} ELSE {0} END`;
  const end = template(later, anchor, local, localOriginSql(window), months);
  return fromLocal(window, end);
}

/** The months of a length, as an integer. */
export function monthsSql(window: TypedWindow, length: WindowLength): Pieces {
  const anchor = anchorOf(window, length);
  if (length.value !== undefined) return template(`${length.value.months}`, anchor);
  const text = '(extract(year FROM {0}) * 12 + extract(month FROM {0}))::int';
  return template(text, anchor, lengthSql(window, length));
}
