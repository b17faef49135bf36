import * as errors from '../../core/errors/windows.ts';
import type { GroupedWindow } from '../../sql/grouped-window.ts';
import { template } from '../splice.ts';
import { groupColumns, rowsAlias, rowsTable, type WindowSource, windowsAlias } from './grouped.ts';
import { gapSql, knownLengthSql } from './run-time-length.ts';
import {
  checkLength,
  describeLength,
  inWindowSql,
  positionOf,
  type TypedWindow,
} from './window-sql.ts';

/** Refuses a gap that cannot make a session. */
export function checkSession(window: TypedWindow): void {
  const { size } = window.call;
  checkLength(window, size, 'gap');
  if (size.value !== undefined && size.value.months !== 0) {
    throw errors.sessionGapMonths(describeLength(window, size), positionOf(window, size));
  }
}

/**
 * Gaps and islands in one ordered pass: a row more than the gap after the one before starts a
 * session, and the greatest start so far is the session of a row. A row exactly at the end of a
 * session belongs to it, as sessions that touch are merged.
 */
export function lowerSession(grouped: GroupedWindow, window: TypedWindow): WindowSource {
  const { source } = window;
  const anchor = source.startOf(window.call.range);
  const inside = grouped.windowUses.find(
    (use) => use.place === 'aggregate' && use.call.edge === 'end',
  );
  if (inside !== undefined) {
    throw errors.windowUnsupportedHere(
      inside.call.name,
      'an aggregate around it',
      'Compute the sessions in a subquery and aggregate its result.',
      { position: inside.call.position },
    );
  }
  const keys = groupColumns(grouped).map((column) => `${rowsAlias}.${column.name}`);
  const partition = keys.length === 0 ? '' : `PARTITION BY ${keys.join(', ')} `;
  const order = `${partition}ORDER BY ${rowsAlias}.t`;
  const text =
    `(SELECT ${rowsAlias}.*, max(${rowsAlias}.first) OVER (${order} ROWS UNBOUNDED PRECEDING) AS w ` +
    `FROM (SELECT ${rowsAlias}.*, CASE WHEN ${rowsAlias}.t <= lag(${rowsAlias}.t) OVER (${order}) + {0} THEN NULL ELSE ${rowsAlias}.t END AS first ` +
    `FROM {1} WHERE ${inWindowSql(`${rowsAlias}.t`)}{2}) AS ${rowsAlias}) AS ${windowsAlias}`;
  const gap = gapSql(window);
  const rows = rowsTable(grouped, window);
  return {
    table: template(text, anchor, gap, rows, knownLengthSql(window, gap)),
    end: template(`(max(${windowsAlias}.t) + {0})`, anchor, gap),
    aggregates: new Map(),
  };
}
