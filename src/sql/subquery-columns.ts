import { looksAggregate } from './aggregate-call.ts';
import { fromNames } from './from-names.ts';
import { type Body, listOf, type Node, namesOf, walk } from './parse-tree.ts';
import type { Source } from './source.ts';
import { isWindowCall } from './window-call.ts';

/** What a subquery reads of the level it stands in. */
export type SubqueryColumns = {
  /** Columns that are certainly of the level: qualified by a name of its FROM and of no nearer one. */
  readonly own: readonly Node[];
  /** Aggregates over such columns alone, which are therefore aggregates of the level. */
  readonly aggregates: readonly Body[];
  /** Columns that may be of any level: without a qualifier, or with one that tables in between have. */
  readonly open: readonly Node[];
  /** Whether some level of it holds a window and is therefore replaced as a whole. */
  readonly holdsWindow: boolean;
};

type Scope = {
  /** Names of tables between a column and the level. */
  readonly nearer: ReadonlySet<string>;
  /** Names of tables beside it in FROM, which it may see or not. */
  readonly unsure: ReadonlySet<string>;
};

/**
 * Reads the columns of a subquery as Postgres looks names up: from the innermost FROM out.
 *
 * @param levelNames the names that qualify columns of the level the subquery stands in
 */
export function readSubquery(
  source: Source,
  subselect: unknown,
  levelNames: ReadonlySet<string>,
): SubqueryColumns {
  const own: Node[] = [];
  const aggregates: Body[] = [];
  const open: Node[] = [];
  let holdsWindow = false;

  const visit = (value: unknown, scope: Scope): void => {
    walk(value, (tag, body) => {
      if (tag === 'SelectStmt') {
        visitSelect(body, scope);
        return false;
      }
      if (tag === 'FuncCall' && isWindowCall(source, body)) holdsWindow = true;
      if (tag === 'FuncCall' && looksAggregate(body) && isOfLevel(body, scope)) {
        aggregates.push(body);
        return false;
      }
      if (tag !== 'ColumnRef') return undefined;
      const node = { [tag]: body };
      const place = placeOf(body, scope);
      if (place === 'own') own.push(node);
      if (place === 'open') open.push(node);
      return false;
    });
  };

  /** The arms of a set operation carry no tag, and see only their own FROM. */
  const visitSelect = (body: Body, scope: Scope): void => {
    const { larg, rarg, withClause, fromClause, ...clauses } = body;
    for (const arm of [larg, rarg]) if (arm !== undefined) visitSelect(arm as Body, scope);
    const names = fromNames(body);
    visit(withClause, scope);
    visitFrom(fromClause, scope, { ...scope, unsure: new Set([...scope.unsure, ...names]) });
    visit(Object.values(clauses), { ...scope, nearer: new Set([...scope.nearer, ...names]) });
  };

  /** Items of FROM see none of the others, unless they are LATERAL or functions: those to the left. */
  const visitFrom = (fromClause: unknown, scope: Scope, among: Scope): void => {
    walk(fromClause, (tag, body) => {
      if (tag === 'JoinExpr' || tag === 'RangeTableSample') return undefined;
      if (tag === 'RangeSubselect') visit(body['subquery'], body['lateral'] ? among : scope);
      else visit({ [tag]: body }, among);
      return false;
    });
  };

  const placeOf = (body: Body, { nearer, unsure }: Scope): 'own' | 'open' | 'other' => {
    const names = namesOf(listOf(body, 'fields'));
    // A column of any level; a table's name means its row only where no level has such a column.
    if (names.length === 1) return names[0] === '*' ? 'other' : 'open';
    const table = names.at(-2)!;
    if (!levelNames.has(table)) return 'other';
    if (unsure.has(table) || (nearer.has(table) && names.length > 2)) return 'open';
    return nearer.has(table) ? 'other' : 'own';
  };

  const isOfLevel = (call: Body, scope: Scope): boolean => {
    const places: string[] = [];
    walk(Object.values(call), (tag, body) => {
      if (tag === 'SubLink') places.push('other');
      if (tag === 'ColumnRef') places.push(placeOf(body, scope));
      return tag === 'SubLink' ? false : undefined;
    });
    return places.length > 0 && places.every((place) => place === 'own');
  };

  visit(subselect, { nearer: new Set(), unsure: new Set() });
  return { own, aggregates, open, holdsWindow };
}
