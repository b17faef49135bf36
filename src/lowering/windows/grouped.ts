import { quoteIdentifier } from '../../core/quoting.ts';
import type { GroupedWindow } from '../../sql/grouped-window.ts';
import type { LiftedColumn } from '../../sql/lifted-parts.ts';
import { type Edits, generated, type Piece, type Pieces, template } from '../splice.ts';
import { groupingCheck, needsGroupingCheck } from './grouping-check.ts';
import { argumentSql, type TypedWindow, typedTimeSql } from './window-sql.ts';

/** The name of the derived table the outer level reads. */
export const windowsAlias: string = 'heliosdb_windows';
/** The name of the innermost derived table: one row per input row. */
export const rowsAlias: string = 'heliosdb_rows';

/** How one strategy (slices, expansion, session) answers the outer level. */
export type WindowSource = {
  /** A parenthesised SELECT whose columns are the keys, the inputs it keeps and `w`. */
  readonly table: Pieces;
  /** The window's end, in terms of the outer level. */
  readonly end: Pieces;
  /** Aggregates the strategy computes in another way, by index; the others stay as typed. */
  readonly aggregates: ReadonlyMap<number, string>;
};

/** `(SELECT key AS k1, input AS c1, time AS t FROM ... WHERE ...) AS heliosdb_rows`. */
export function rowsTable(grouped: GroupedWindow, window: TypedWindow): Pieces {
  const { source, inner } = window;
  const { from, where } = grouped.clauses;
  const anchor = source.startOf(grouped.clauses.whole);
  const pieces: Piece[] = [generated('(SELECT ', anchor)];
  for (const column of grouped.columns) {
    pieces.push(...columnSql(column, window));
    pieces.push(generated(` AS ${column.name}, `, source.startOf(column.range)));
  }
  pieces.push(...typedTimeSql(window, argumentSql(window, window.call.time)));
  pieces.push(generated(' AS t', anchor));
  for (const clause of [from, where]) {
    if (clause === undefined) continue;
    pieces.push(generated(' ', source.startOf(clause)));
    pieces.push(...inner.render(source.startOf(clause), source.endOf(clause)));
  }
  pieces.push(generated(`) AS ${rowsAlias}`, anchor));
  return pieces;
}

/** A star inside an expression is a row, but alone in a select list it would be its columns. */
function columnSql({ range }: LiftedColumn, { source, inner }: TypedWindow): Pieces {
  const [start, end] = [source.startOf(range), source.endOf(range)];
  const pieces = inner.render(start, end);
  const { to } = source.stripParentheses(range);
  const isRow = source.name(to - 1) === '*' && source.name(to - 2) === '.';
  return isRow ? template('COALESCE({0})', start, pieces) : pieces;
}

/** Columns the outer level groups by, besides the window. */
export function groupColumns(grouped: GroupedWindow): readonly LiftedColumn[] {
  return grouped.columns.filter((column) => column.role !== 'input');
}

/** Replaces one SELECT level by its lowered form, as an edit of the whole level. */
export function lowerLevel(
  edits: Edits,
  grouped: GroupedWindow,
  window: TypedWindow,
  lowered: WindowSource,
): void {
  if (grouped.refusal !== undefined) throw grouped.refusal;
  const { source } = window;
  const level = edits.fork();
  for (const { range, column } of grouped.columnUses) {
    replace(level, source.startOf(range), source.endOf(range), `${windowsAlias}.${column.name}`);
  }
  for (const { range, call, place } of grouped.windowUses) {
    const anchor = source.startOf(range);
    // Whichever edge GROUP BY names, the level is grouped by the start: then both can be read.
    const isStart = call.edge === 'start' || place === 'group';
    const pieces = isStart ? template(`${windowsAlias}.w`, anchor) : lowered.end;
    level.replace(anchor, source.endOf(range), pieces);
  }
  for (const [index, aggregate] of grouped.aggregates.entries()) {
    const text = lowered.aggregates.get(index);
    if (text === undefined) continue;
    const { range } = aggregate.call;
    replace(level, source.startOf(range), source.endOf(range), text);
  }
  for (const { end, name } of grouped.targetNames) {
    level.insert(source.endOf(end), ` AS ${asName(name)}`);
  }
  const { clauses } = grouped;
  const inputFrom = source.startOf(clauses.from ?? clauses.where ?? clauses.groupBy!);
  const inputEnd =
    clauses.from === undefined && clauses.where === undefined
      ? inputFrom
      : source.endOf(clauses.where ?? clauses.from!);
  const text = inputFrom === inputEnd ? 'FROM {0}{1} ' : 'FROM {0}{1}';
  const check = needsGroupingCheck(grouped, window) ? groupingCheck(edits, grouped, window) : [];
  level.replace(inputFrom, inputEnd, template(text, inputFrom, lowered.table, check));
  const extra = grouped.columns.filter((column) => column.role === 'extra');
  if (extra.length > 0) {
    const names = extra.map((column) => `, ${windowsAlias}.${column.name}`).join('');
    level.insert(source.endOf(clauses.groupBy!), names);
  }
  const start = source.startOf(clauses.whole);
  const end = source.endOf(clauses.whole);
  edits.replace(start, end, level.render(start, end));
}

function replace(edits: Edits, start: number, end: number, text: string): void {
  edits.replace(start, end, [generated(text, start)]);
}

/** A name that may stand after AS; any keyword may, so only odd characters need quotes. */
export function asName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteIdentifier(name);
}
