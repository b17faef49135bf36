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
  /** Columns without a qualifier, which may be of any level that has a table. */
  readonly open: readonly Node[];
  /** Whether some level of it holds a window and is therefore replaced as a whole. */
  readonly holdsWindow: boolean;
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

  const visit = (value: unknown, nearer: ReadonlySet<string>): void => {
    walk(value, (tag, body) => {
      if (tag === 'SelectStmt') {
        visitSelect(body, nearer);
        return false;
      }
      if (tag === 'FuncCall' && isWindowCall(source, body)) holdsWindow = true;
      if (tag === 'FuncCall' && looksAggregate(body) && isOfLevel(body, nearer)) {
        aggregates.push(body);
        return false;
      }
      if (tag !== 'ColumnRef') return undefined;
      const node = { [tag]: body };
      const place = placeOf(body, nearer);
      if (place === 'own') own.push(node);
      if (place === 'open') open.push(node);
      return false;
    });
  };

  /** The arms of a set operation carry no tag, and see only their own FROM. */
  const visitSelect = (body: Body, nearer: ReadonlySet<string>): void => {
    const { larg, rarg, ...clauses } = body;
    for (const arm of [larg, rarg]) if (arm !== undefined) visitSelect(arm as Body, nearer);
    visit(Object.values(clauses), new Set([...nearer, ...fromNames(body)]));
  };

  const placeOf = (body: Body, nearer: ReadonlySet<string>): 'own' | 'open' | 'other' => {
    const names = namesOf(listOf(body, 'fields'));
    // A table's name alone is its whole row.
    const table = names.at(-2) ?? names[0]!;
    if (levelNames.has(table) && !nearer.has(table)) return 'own';
    return names.length === 1 && table !== '*' && !nearer.has(table) ? 'open' : 'other';
  };

  const isOfLevel = (call: Body, nearer: ReadonlySet<string>): boolean => {
    const places: string[] = [];
    walk(Object.values(call), (tag, body) => {
      if (tag === 'SubLink') places.push('other');
      if (tag === 'ColumnRef') places.push(placeOf(body, nearer));
      return tag === 'SubLink' ? false : undefined;
    });
    return places.length > 0 && places.every((place) => place === 'own');
  };

  visit(subselect, new Set());
  return { own, aggregates, open, holdsWindow };
}
