import * as errors from '../../core/errors/windows.ts';
import { type Body, bodyOf, listOf, type Node, namesOf } from '../../sql/parse-tree.ts';
import type { Source } from '../../sql/source.ts';
import type { PlainCalls, Stretch } from '../../sql/table-window.ts';
import { readWindowCall, type WindowCall } from '../../sql/window-call.ts';
import type { TableCall } from '../../sql/window-scopes.ts';
import { type Edits, type Pieces, template } from '../splice.ts';
import { rowsAlias } from './grouped.ts';
import { calendarExpansion, checkHop, fixedExpansion, hopEnd, isCalendar } from './hop.ts';
import { gapSql, knownLengthSql } from './run-time-length.ts';
import { checkSession } from './session.ts';
import { tumbleSql, tumbleStart } from './tumble.ts';
import {
  argumentSql,
  inWindowSql,
  lengthSql,
  type TypedWindow,
  typedTimeSql,
} from './window-sql.ts';

/** `FROM TUMBLE(TABLE t, DESCRIPTOR(ts), size)`: the table's rows with their window. */
export type TableWindow = {
  /** The call without its table: time, sizes, origin and zone. */
  readonly call: WindowCall;
  /** Where the table is named, and the name its columns go by. */
  readonly table: Stretch;
  readonly alias: string;
  readonly hasAlias: boolean;
  readonly partition: Stretch | undefined;
  /** What the derived table stands for: the call, with TABLE(...) around it if there was one. */
  readonly whole: Stretch;
};

type Context = {
  readonly parameterTypes: readonly number[];
  readonly tableForms: Pick<PlainCalls, 'partitions' | 'wrappers'>;
};

/** Reads a window function that stands in FROM. */
export function readTableWindow(source: Source, found: TableCall, context: Context): TableWindow {
  const args = listOf(found.body, 'args');
  const names = tableNames(args[0]);
  const probe = readWindowCall(source, found.body, context.parameterTypes, 1);
  if (names === undefined) {
    throw errors.windowUnsupportedHere(
      probe.name,
      'a first argument that is not a table',
      `Write FROM ${probe.name.toUpperCase()}(TABLE t, DESCRIPTOR(time), ...), with a table, view or WITH query as t.`,
      { position: probe.position },
    );
  }
  const ranges = source.splitCommas({ from: probe.range.from + 2, to: probe.range.to - 1 });
  const table = ranges[0]!;
  const start = source.startOf(probe.range);
  return {
    call: probe,
    table: { start: source.startOf(table), end: source.endOf(table) },
    alias: source.tokens[table.to - 1]!.name,
    hasAlias: found.rangeFunction['alias'] !== undefined,
    partition: context.tableForms.partitions.get(start),
    whole: context.tableForms.wrappers.get(start) ?? { start, end: source.endOf(probe.range) },
  };
}

function tableNames(node: Node | undefined): readonly string[] | undefined {
  const column: Body | undefined = bodyOf(node, 'ColumnRef');
  const names = column === undefined ? [] : namesOf(listOf(column, 'fields'));
  return names.length === 0 || names.includes('*') ? undefined : names;
}

/** Replaces the call by a derived table with the table's columns, window_start and window_end. */
export function lowerTableWindow(edits: Edits, window: TypedWindow, table: TableWindow): void {
  const anchor = window.source.startOf(window.call.range);
  const body = tableSql(window, table);
  const alias = table.hasAlias ? '' : ` AS ${table.alias}`;
  edits.replace(table.whole.start, table.whole.end, template(`({0})${alias}`, anchor, body));
}

function tableSql(window: TypedWindow, table: TableWindow): Pieces {
  switch (window.call.kind) {
    case 'tumble':
      return tumbleTable(window, table);
    case 'hop':
      return hopTable(window, table);
    case 'session':
      return sessionTable(window, table);
  }
}

function tumbleTable(window: TypedWindow, table: TableWindow): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const start = tumbleStart(window);
  const end = tumbleSql({ ...window, call: { ...window.call, edge: 'end' } });
  const text = `SELECT ${table.alias}.*, {0} AS window_start, {1} AS window_end FROM {3} WHERE ${inWindowSql('{2}')}{4}`;
  const time = argumentSql(window, window.call.time);
  const known = knownLengthSql(window, lengthSql(window, window.call.size));
  return template(text, anchor, start, end, time, copied(table.table), known);
}

function hopTable(window: TypedWindow, table: TableWindow): Pieces {
  checkHop(window);
  const anchor = window.source.startOf(window.call.range);
  const time = typedTimeSql(window, argumentSql(window, window.call.time));
  const row = template(`(SELECT {0} AS t) AS ${rowsAlias}`, anchor, time);
  const expansion = isCalendar(window.call)
    ? calendarExpansion(window, row)
    : fixedExpansion(window, row);
  const end = hopEnd(window, template('heliosdb_windows.w', anchor));
  const text =
    `SELECT ${table.alias}.*, heliosdb_windows.w AS window_start, {0} AS window_end ` +
    `FROM {2} CROSS JOIN LATERAL {1} AS heliosdb_windows`;
  return template(text, anchor, end, expansion, copied(table.table));
}

/**
 * Rows go through as wholes, under a name that is hardly one of their columns: where a column is
 * called as its table is, that name alone would be the column.
 */
function sessionTable(window: TypedWindow, table: TableWindow): Pieces {
  checkSession(window);
  const { source, call } = window;
  const anchor = source.startOf(call.range);
  const gap = gapSql(window);
  const time = typedTimeSql(window, argumentSql(window, call.time));
  const { partition } = table;
  const key: Pieces =
    partition === undefined
      ? template('NULL', anchor)
      : template('ROW({0})', anchor, window.inner.render(partition.start, partition.end));
  const order = 'PARTITION BY r.k ORDER BY r.t';
  const text =
    `SELECT (r.source).*, r.w AS window_start, max(r.t) OVER (PARTITION BY r.k, r.w) + {0} AS window_end ` +
    `FROM (SELECT r.*, max(r.first) OVER (${order} ROWS UNBOUNDED PRECEDING) AS w ` +
    `FROM (SELECT r.*, CASE WHEN r.t <= lag(r.t) OVER (${order}) + {0} THEN NULL ELSE r.t END AS first ` +
    `FROM (SELECT heliosdb_source AS source, s.t, s.k FROM {3} AS heliosdb_source ` +
    `CROSS JOIN LATERAL (SELECT {1} AS t, {2} AS k FROM (SELECT heliosdb_source.*) AS ${table.alias}) AS s) AS r ` +
    `WHERE ${inWindowSql('r.t')}{4}) AS r) AS r`;
  const known = knownLengthSql(window, gap);
  return template(text, anchor, gap, time, key, copied(table.table), known);
}

function copied({ start, end }: Stretch): Pieces {
  return [{ kind: 'copied', start, end }];
}

/** The same derived table with the time's own type in place of the window, for the probe. */
export function probeTableWindow(
  edits: Edits,
  source: Source,
  table: TableWindow,
  parameter: string,
): void {
  const { call } = table;
  const anchor = source.startOf(call.range);
  const copy = (range: { from: number; to: number }) =>
    edits.render(source.startOf(range), source.endOf(range));
  const lengths = [call.slide, call.size].filter((length) => length !== undefined);
  const known = lengths.flatMap((length) =>
    template(' AND ({0})::interval IS NOT NULL', anchor, copy(length.range)),
  );
  const time = template(`COALESCE({0}, ${parameter})`, anchor, copy(call.time.range));
  const alias = table.hasAlias ? '' : ` AS ${table.alias}`;
  const text =
    `(SELECT ${table.alias}.*, {0} AS window_start, {0} AS window_end ` +
    `FROM {2} WHERE true{1})${alias}`;
  edits.replace(
    table.whole.start,
    table.whole.end,
    template(text, anchor, time, known, copied(table.table)),
  );
}
