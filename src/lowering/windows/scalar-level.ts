import { looksAggregate } from '../../sql/aggregate-call.ts';
import { bodyOf, listOf, locationOf, type Node, tagOf, walk } from '../../sql/parse-tree.ts';
import {
  enclosingSelect,
  readSelectClauses,
  type SelectClauses,
} from '../../sql/select-clauses.ts';
import {
  groupingExpressions,
  nameRange,
  readTargets,
  resolveTarget,
  type Target,
} from '../../sql/select-targets.ts';
import type { Source } from '../../sql/source.ts';
import { rowDependentArgument, type WindowCall } from '../../sql/window-call.ts';
import type { SelectScope } from '../../sql/window-scopes.ts';
import { nameOutputs } from '../output-names.ts';
import { type Edits, type Pieces, template } from '../splice.ts';
import { knownLengthSql } from './run-time-length.ts';
import { needsRows, tumbleStart } from './tumble.ts';
import { joinWindowColumn, mayBeColumn } from './window-column.ts';
import { argumentSql, inWindowSql, lengthKind, lengthSql, type TypedWindow } from './window-sql.ts';

/** A SELECT level whose windows are all TUMBLE: scalars, replaced where they stand. */
export type ScalarLevel = {
  readonly source: Source;
  readonly scope: SelectScope;
  /** The window the level is grouped by. */
  readonly window: TypedWindow | undefined;
};

/** Output columns keep their names, and rows without a window leave a grouped level. */
export function finishScalarLevel(edits: Edits, level: ScalarLevel): void {
  const { source, scope } = level;
  const first = scope.calls[0];
  if (first === undefined) return;
  const clauses = readSelectClauses(source, enclosingSelect(source, first.call.range.from));
  const targets = readTargets(source, scope.body, clauses);
  const calls = scope.calls.map(({ call }) => call);
  nameOutputs(edits, source, targets, calls);
  const { window } = level;
  if (window === undefined) return;
  const isShort = isGroupedAlone(window, scope, targets);
  const start =
    isShort && mayBeColumn(window, scope)
      ? joinWindowColumn(edits, { scope, window }, clauses)
      : tumbleStart(window);
  groupByStart(edits, { scope, window }, { start, targets });
  if (isShort) filterGroups(edits, window, { start, clauses });
  else filterRows(edits, window, clauses);
}

/** Whichever edge GROUP BY names, the level is grouped by the start: then both can be read. */
function groupByStart(
  edits: Edits,
  { scope, window }: { readonly scope: SelectScope; readonly window: TypedWindow },
  { start, targets }: { readonly start: Pieces; readonly targets: readonly Target[] },
): void {
  const { source } = window;
  // Windows with one start may then have several ends, or the end is not recognised.
  if (rowDependentArgument(window.call) !== undefined || needsRows(window.call)) return;
  const grouping = groupingExpressions(listOf(scope.body, 'groupClause'));
  for (const item of [...grouping, ...groupingArguments(scope)]) {
    const target = grouping.includes(item) ? resolveTarget(item, targets) : undefined;
    const call = callOf(target?.node ?? item, scope);
    if (call?.edge !== 'end') continue;
    const token = source.tokenOfByte(locationOf(item[tagOf(item)]!));
    const range = target === undefined ? call.range : nameRange(source, token);
    edits.replace(source.startOf(range), source.endOf(range), start);
  }
}

/** The arguments of GROUPING, which have to be what GROUP BY holds. */
function groupingArguments(scope: SelectScope): readonly Node[] {
  const found: Node[] = [];
  const { targetList, havingClause, sortClause } = scope.body;
  walk([targetList, havingClause, sortClause], (tag, body) => {
    if (tag === 'GroupingFunc') found.push(...listOf(body, 'args'));
    return tag === 'SubLink' ? false : undefined;
  });
  return found;
}

/** The window call an expression is. */
function callOf(node: Node, scope: SelectScope): WindowCall | undefined {
  const body = bodyOf(node, 'FuncCall');
  return scope.calls.find(({ call }) => call.body === body)?.call;
}

/** Whether the window is itself an item of a plain GROUP BY, and its SQL short enough to repeat. */
function isGroupedAlone(
  { call }: TypedWindow,
  scope: SelectScope,
  targets: readonly Target[],
): boolean {
  if (lengthKind(call.size) !== 'fixed' || call.zone !== undefined) return false;
  if (rowDependentArgument(call) !== undefined) return false;
  const items = listOf(scope.body, 'groupClause');
  if (items.some((item) => bodyOf(item, 'GroupingSet') !== undefined)) return false;
  if (computesPerRow(scope, targets)) return false;
  return items.some(
    (item) => callOf(resolveTarget(item, targets)?.node ?? item, scope) !== undefined,
  );
}

/**
 * Whether rows without a window could make something fail that is computed before groups are left
 * out: an aggregate over more than a column, or a key that is more than one.
 */
function computesPerRow(scope: SelectScope, targets: readonly Target[]): boolean {
  let found = false;
  const { targetList, havingClause, sortClause, groupClause } = scope.body;
  walk([targetList, havingClause, sortClause], (tag, body) => {
    if (tag === 'FuncCall' && looksAggregate(body)) {
      const inputs = [...listOf(body, 'args'), ...listOf(body, 'agg_order')];
      found ||= body['agg_filter'] !== undefined || !inputs.every(isColumn);
    }
    return tag === 'SubLink' ? false : undefined;
  });
  const keys = listOf({ groupClause }, 'groupClause');
  return found || !keys.every((key) => isWindow(resolveTarget(key, targets), key));

  function isWindow(target: Target | undefined, key: Node): boolean {
    const node = target?.node ?? key;
    return isColumn(node) || callOf(node, scope) !== undefined;
  }
}

function isColumn(node: Node): boolean {
  return bodyOf(node, 'ColumnRef') !== undefined || bodyOf(node, 'A_Const') !== undefined;
}

/**
 * Leaves out the groups of NULL and of the infinities. Postgres would move a HAVING without an
 * aggregate into WHERE and compute the window once more per row; with the count it stays where it
 * is evaluated once per group, and the scan is what it is without us.
 */
function filterGroups(
  edits: Edits,
  { source, call }: TypedWindow,
  { start, clauses }: { readonly start: Pieces; readonly clauses: SelectClauses },
): void {
  const anchor = source.startOf(call.range);
  const finite = template('(count(*) > 0 AND isfinite({0})) IS TRUE', anchor, start);
  if (clauses.having === undefined) {
    const at = source.endOf(clauses.groupBy!);
    edits.replace(at, at, template(' HAVING {0}', anchor, finite));
    return;
  }
  edits.insert(source.tokens[clauses.having.from + 1]!.start, '(');
  const at = source.endOf(clauses.having);
  edits.replace(at, at, template(') AND {0}', anchor, finite));
}

function filterRows(edits: Edits, window: TypedWindow, clauses: SelectClauses): void {
  const { source, call } = window;
  const anchor = source.startOf(call.time.range);
  const isColumnTime = bodyOf(call.time.node, 'ColumnRef') !== undefined;
  const text = isColumnTime ? inWindowSql('{0}') : 'isfinite({0})';
  const known = knownLengthSql(window, lengthSql(window, call.size));
  const finite = template(`${text}{1}`, anchor, argumentSql(window, call.time), known);
  if (clauses.where !== undefined) {
    edits.insert(source.tokens[clauses.where.from + 1]!.start, '(');
    const at = source.endOf(clauses.where);
    edits.replace(at, at, template(') AND {0}', anchor, finite));
  } else if (clauses.from !== undefined) {
    const at = source.endOf(clauses.from);
    edits.replace(at, at, template(' WHERE {0}', anchor, finite));
  }
}
