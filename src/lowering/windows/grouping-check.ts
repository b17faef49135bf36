import * as errors from '../../core/errors/windows.ts';
import type { GroupedWindow } from '../../sql/grouped-window.ts';
import { type Edits, type Pieces, template, textOf } from '../splice.ts';
import { argumentSql, type TypedWindow, typedTimeSql } from './window-sql.ts';

/** Levels within levels copy each other; a statement may hold 64 K characters itself. */
const checkCharactersMax = 256 * 1024;

/**
 * Whether Postgres has to be asked by the lowered statement itself if the level is grouped as it
 * must be. A probe has asked already. Without one, columns that are appended to GROUP BY might not
 * depend on what the client grouped by, and a function might not be an aggregate.
 */
export function needsGroupingCheck(grouped: GroupedWindow, window: TypedWindow): boolean {
  if (window.timeType !== undefined) return false;
  return (
    grouped.columns.some((column) => column.role === 'extra') ||
    grouped.aggregates.some((aggregate) => aggregate.isGuess)
  );
}

/**
 * ` WHERE true OR EXISTS (the level as typed, grouped by an expression of its time)`: analysed by
 * Postgres, which reports what it would of the client's own level, and dropped by its planner.
 *
 * @param inner the statement's edits before those of this level
 */
export function groupingCheck(inner: Edits, grouped: GroupedWindow, window: TypedWindow): Pieces {
  const { source } = window;
  const { clauses } = grouped;
  const level = inner.fork();
  for (const { range, call } of grouped.windowUses) {
    // An alias or a number stands for the expression in this form too.
    if (range.from !== call.range.from) continue;
    const anchor = source.startOf(range);
    const time = typedTimeSql(window, argumentSql({ ...window, call }, call.time));
    level.replace(anchor, source.endOf(range), template('({0})', anchor, time));
  }
  if (clauses.into !== undefined) {
    level.replace(source.startOf(clauses.into), source.endOf(clauses.into), []);
  }
  const start = source.startOf(clauses.whole);
  const pieces = level.render(start, source.endOf(clauses.whole));
  if (textOf(source.text, pieces).length > checkCharactersMax) {
    throw errors.statementTooComplex('Windows within windows would make too long a statement.');
  }
  return template(' WHERE true OR EXISTS ({0})', start, pieces);
}
