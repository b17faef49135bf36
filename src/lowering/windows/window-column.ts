import { sameWindow } from '../../sql/grouped-window.ts';
import { type Body, bodyOf, listOf, namesOf, walk } from '../../sql/parse-tree.ts';
import type { SelectClauses } from '../../sql/select-clauses.ts';
import { rowDependentArgument, type WindowCall } from '../../sql/window-call.ts';
import type { SelectScope } from '../../sql/window-scopes.ts';
import { type Edits, type Pieces, template } from '../splice.ts';
import { windowsAlias } from './grouped.ts';
import { tumbleEnd, tumbleStart } from './tumble.ts';
import type { TypedWindow } from './window-sql.ts';

const columnAlias = 'heliosdb_window';
const column = `${windowsAlias}.${columnAlias}`;

/**
 * Whether the window of a grouped level is better a column than an expression (decision 0009).
 * With other grouping columns there may be nearly as many groups as rows.
 */
export function mayBeColumn(window: TypedWindow, scope: SelectScope): boolean {
  const { fromClause, groupClause, targetList } = scope.body;
  if (listOf({ groupClause }, 'groupClause').length < 2) return false;
  // Behind a comma the join would be one with the last table alone.
  if (listOf({ fromClause }, 'fromClause').length !== 1) return false;
  if (bodyOf(window.call.time.node, 'ColumnRef') === undefined) return false;
  if (rowDependentArgument(window.call) !== undefined || holdsStar(targetList)) return false;
  if (holdsLostName(scope)) return false;
  // Postgres knows more expressions to be equal than are written alike.
  return readingCalls(scope).every((call) => sameWindow(call, window.call));
}

/** The calls of a level that read its groups. */
function readingCalls(scope: SelectScope): readonly WindowCall[] {
  return scope.calls
    .filter(({ clause }) => clause !== 'whereClause' && clause !== 'fromClause')
    .map(({ call }) => call);
}

const systemColumns = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

/** Beside a join a system column needs its table's name, and names like ours would mean ours. */
function holdsLostName(scope: SelectScope): boolean {
  let found = false;
  walk(scope.body, (tag, body) => {
    const names = tag === 'ColumnRef' ? namesOf(listOf(body, 'fields')) : [];
    if (names.length === 1 && systemColumns.has(names[0]!)) found = true;
    const alias = body['alias'] as Body | undefined;
    const ours = [...names, body['relname'], body['ctename'], alias?.['aliasname']];
    if (ours.some((name) => name === windowsAlias || name === columnAlias)) found = true;
    return undefined;
  });
  return found;
}

/** A star would show the column. */
function holdsStar(targetList: unknown): boolean {
  let found = false;
  walk(targetList, (tag) => {
    if (tag === 'A_Star') found = true;
    return tag === 'SubLink' ? false : undefined;
  });
  return found;
}

/**
 * Adds the window to FROM and has the level read it there; answers the column. An outer join keeps
 * the planner from writing the expression back to where the column is read, and as its other side
 * is one row without a condition, none is left in the plan.
 */
export function joinWindowColumn(
  edits: Edits,
  level: { readonly scope: SelectScope; readonly window: TypedWindow },
  clauses: SelectClauses,
): Pieces {
  const { scope, window } = level;
  const { source } = window;
  const at = source.endOf(clauses.from!);
  const anchor = source.startOf(window.call.range);
  const text = ` LEFT JOIN LATERAL (SELECT {0} AS ${columnAlias}) AS ${windowsAlias} ON true`;
  edits.replace(at, at, template(text, anchor, tumbleStart(window)));
  for (const call of readingCalls(scope)) {
    const from = source.startOf(call.range);
    const read = template(column, from);
    const use = call.edge === 'start' ? read : tumbleEnd({ ...window, call }, read);
    edits.replace(from, source.endOf(call.range), use);
  }
  return template(column, anchor);
}
