import { looksAggregate } from '../../sql/aggregate-call.ts';
import { bodyOf, listOf, type Node, walk } from '../../sql/parse-tree.ts';
import {
  enclosingSelect,
  readSelectClauses,
  type SelectClauses,
} from '../../sql/select-clauses.ts';
import { outputName, readTargets, resolveTarget, type Target } from '../../sql/select-targets.ts';
import type { Source } from '../../sql/source.ts';
import type { WindowCall } from '../../sql/window-call.ts';
import type { SelectScope } from '../../sql/window-scopes.ts';
import { type Edits, template } from '../splice.ts';
import { asName } from './grouped.ts';
import { tumbleSql } from './tumble.ts';
import { argumentSql, inWindowSql, lengthKind, type TypedWindow } from './window-sql.ts';

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
  for (const target of targets) {
    if (target.alias !== undefined || !holdsCall(scope, target)) continue;
    edits.insert(source.endOf(target.range), ` AS ${asName(outputName(target))}`);
  }
  if (level.window === undefined) return;
  const key = groupingCall(level.window, scope, targets);
  if (key === undefined) filterRows(edits, level.window, clauses);
  else filterGroups(edits, { ...level.window, call: key }, clauses);
}

function holdsCall(scope: SelectScope, target: Target): boolean {
  return scope.calls.some(
    ({ call }) => call.range.from >= target.range.from && call.range.to <= target.range.to,
  );
}

/** The call that is itself an item of a plain GROUP BY, if its SQL is short enough to repeat. */
function groupingCall(
  window: TypedWindow,
  scope: SelectScope,
  targets: readonly Target[],
): WindowCall | undefined {
  if (lengthKind(window.call.size) !== 'fixed' || window.call.zone !== undefined) return undefined;
  const items = listOf(scope.body, 'groupClause');
  if (items.some((item) => bodyOf(item, 'GroupingSet') !== undefined)) return undefined;
  if (computesPerRow(scope, targets)) return undefined;
  for (const item of items) {
    const body = bodyOf(resolveTarget(item, targets)?.node ?? item, 'FuncCall');
    const scoped = scope.calls.find(({ call }) => call.body === body);
    if (scoped !== undefined) return scoped.call;
  }
  return undefined;
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
    const body = bodyOf(node, 'FuncCall');
    return isColumn(node) || scope.calls.some(({ call }) => call.body === body);
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
function filterGroups(edits: Edits, window: TypedWindow, clauses: SelectClauses): void {
  const { source } = window;
  const anchor = source.startOf(window.call.range);
  const finite = template('(count(*) > 0 AND isfinite({0})) IS TRUE', anchor, tumbleSql(window));
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
  const finite = template(text, anchor, argumentSql(window, call.time));
  if (clauses.where !== undefined) {
    edits.insert(source.tokens[clauses.where.from + 1]!.start, '(');
    const at = source.endOf(clauses.where);
    edits.replace(at, at, template(') AND {0}', anchor, finite));
  } else if (clauses.from !== undefined) {
    const at = source.endOf(clauses.from);
    edits.replace(at, at, template(' WHERE {0}', anchor, finite));
  }
}
