import { type Body, bodyOf, listOf, type Node, namesOf, tagOf, walk } from './parse-tree.ts';
import { isWindowName } from './window-call.ts';

/** The names that qualify columns of the FROM of one SELECT. */
export function fromNames(select: Body): ReadonlySet<string> {
  const names = new Set<string>();
  const pending = [...listOf(select, 'fromClause')];
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const body = item[tagOf(item)] ?? {};
    const alias = aliasOf(body);
    if (alias !== undefined) names.add(alias);
    else for (const name of ownNames(item)) names.add(name);
    // The alias of a join hides what is in it.
    if (alias !== undefined && bodyOf(item, 'JoinExpr') !== undefined) continue;
    const inner = [body['larg'], body['rarg'], body['relation']];
    if (bodyOf(item, 'RangeVar') !== undefined) continue;
    pending.push(...inner.filter((node): node is Node => node !== undefined));
  }
  return names;
}

function aliasOf(body: Body): string | undefined {
  return (body['alias'] as Body | undefined)?.['aliasname'] as string | undefined;
}

/** What an item of FROM without an alias is called. */
function ownNames(item: Node): readonly string[] {
  const table = bodyOf(item, 'RangeVar');
  if (table !== undefined) return [table['relname'] as string];
  const usingAlias = bodyOf(item, 'JoinExpr')?.['join_using_alias'] as Body | undefined;
  if (usingAlias !== undefined) return [usingAlias['aliasname'] as string];
  if (bodyOf(item, 'RangeTableFunc') !== undefined) return ['xmltable'];
  if (bodyOf(item, 'JsonTable') !== undefined) return ['json_table'];
  return bodyOf(item, 'RangeFunction') === undefined ? [] : functionNames(item);
}

/** The name of a function; of a window over a table also that of the table. */
function functionNames(item: Node): readonly string[] {
  const names: string[] = [];
  walk(item, (tag, body) => {
    if (tag !== 'FuncCall') return undefined;
    const name = namesOf(listOf(body, 'funcname')).at(-1)!;
    const table = bodyOf(listOf(body, 'args')[0], 'ColumnRef');
    names.push(name);
    if (isWindowName(name) && table !== undefined) {
      names.push(namesOf(listOf(table, 'fields')).at(-1)!);
    }
    return false;
  });
  return names;
}

/** A column reference by its names, without those that can only be of the one table of FROM. */
export function unqualified(select: Body): (names: readonly string[]) => readonly string[] {
  const from = listOf(select, 'fromClause');
  if (from.length !== 1 || bodyOf(from[0], 'JoinExpr') !== undefined) return (names) => names;
  const own = fromNames(select);
  const schema = schemaOf(from[0]);
  return (names) => {
    const qualifiers = names.slice(0, -1);
    const isOwn =
      (qualifiers.length === 1 && own.has(qualifiers[0]!)) ||
      (qualifiers.length === 2 && qualifiers[0] === schema && own.has(qualifiers[1]!));
    return isOwn ? names.slice(-1) : names;
  };
}

/** The schema that may stand before a column's table: only where FROM has it and no alias. */
function schemaOf(item: Node | undefined): string | undefined {
  const table = bodyOf(item, 'RangeVar');
  if (table === undefined || aliasOf(table) !== undefined) return undefined;
  return table['schemaname'] as string | undefined;
}
