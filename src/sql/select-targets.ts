import { columnName } from './column-name.ts';
import { type Body, bodyOf, listOf, type Node, namesOf, walk } from './parse-tree.ts';
import type { SelectClauses } from './select-clauses.ts';
import type { Source, TokenRange } from './source.ts';

/** One entry of a select list. */
export type Target = {
  readonly node: Node;
  readonly alias: string | undefined;
  /** Its tokens without the alias. */
  readonly range: TokenRange;
  /** The level reads a column of the name this entry goes by. */
  readonly hidesColumn: boolean;
};

/** The entries of a select list with their places. */
export function readTargets(source: Source, body: Body, clauses: SelectClauses): readonly Target[] {
  const ranges = source.splitCommas(clauses.targets);
  const columns = columnsRead(body);
  return listOf(body, 'targetList').map((item, index) => {
    const target = bodyOf(item, 'ResTarget')!;
    const alias = target['name'] as string | undefined;
    const range = withoutAlias(source, ranges[index]!, alias);
    const node = target['val'] as Node;
    const hidesColumn = columns.has(alias ?? columnName(node));
    return { node, alias, range, hidesColumn };
  });
}

function withoutAlias(source: Source, range: TokenRange, alias: string | undefined): TokenRange {
  if (alias === undefined) return range;
  // U&"..." UESCAPE '!' is one name. No other ends in a string.
  const isEscaped =
    source.tokens[range.to - 1]?.kind === 'string' && source.isWord(range.to - 2, 'uescape');
  const name = range.to - (isEscaped ? 3 : 1);
  return { from: range.from, to: source.isWord(name - 1, 'as') ? name - 1 : name };
}

/** The tokens of the name at `from`: U&"..." UESCAPE '!' is one. */
export function nameRange(source: Source, from: number): TokenRange {
  return { from, to: source.isWord(from + 1, 'uescape') ? from + 3 : from + 1 };
}

/** The name of the output column. */
export function outputName(target: Target): string {
  return target.alias ?? columnName(target.node);
}

/** The entry an ordinal or an alias of GROUP BY stands for. */
export function resolveTarget(item: Node, targets: readonly Target[]): Target | undefined {
  const constant = bodyOf(item, 'A_Const');
  if (constant !== undefined) return resolveOrdinal(constant, targets);
  const name = singleName(item);
  if (name === undefined) return undefined;
  const target = targets.find((candidate) => outputName(candidate) === name);
  // Postgres prefers an input column of that name, and one exists if the level reads it.
  return target === undefined || target.hidesColumn ? undefined : target;
}

function resolveOrdinal(constant: Body, targets: readonly Target[]): Target | undefined {
  const ordinal = (constant['ival'] as Body | undefined)?.['ival'];
  if (typeof ordinal !== 'number') return undefined;
  // A star before it stands for an unknown number of columns.
  const before = targets.slice(0, ordinal - 1);
  return before.some((target) => isStar(target.node)) ? undefined : targets[ordinal - 1];
}

function isStar(node: Node): boolean {
  const fields = bodyOf(node, 'ColumnRef');
  return fields !== undefined && namesOf(listOf(fields, 'fields')).at(-1) === '*';
}

/**
 * Names of columns a level certainly reads. Its GROUP BY, ORDER BY and DISTINCT ON are left out,
 * where a bare name may be that of an output column.
 */
function columnsRead(body: Body): ReadonlySet<string> {
  const names = new Set<string>();
  const clauses = ['targetList', 'fromClause', 'whereClause', 'havingClause', 'windowClause'];
  walk(
    clauses.map((clause) => body[clause]),
    (tag, inner) => {
      if (tag === 'SubLink' || tag === 'RangeSubselect') return false;
      if (tag === 'ColumnRef') names.add(namesOf(listOf(inner, 'fields')).at(-1) ?? '');
      return undefined;
    },
  );
  return names;
}

/** The name of a column reference without a qualifier. */
export function singleName(node: Node): string | undefined {
  const column = bodyOf(node, 'ColumnRef');
  const names = column === undefined ? [] : namesOf(listOf(column, 'fields'));
  return names.length === 1 && names[0] !== '*' ? names[0] : undefined;
}

/** The expressions of a GROUP BY, those inside ROLLUP, CUBE, GROUPING SETS and rows included. */
export function groupingExpressions(items: readonly Node[]): readonly Node[] {
  return items.flatMap((item) => {
    const set = bodyOf(item, 'GroupingSet');
    if (set !== undefined) return groupingExpressions(listOf(set, 'content'));
    const row = bodyOf(item, 'RowExpr');
    const isList = row !== undefined && row['row_format'] !== 'COERCE_EXPLICIT_CALL';
    return isList ? groupingExpressions(listOf(row, 'args')) : [item];
  });
}
