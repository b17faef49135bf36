import { quoteIdentifier } from '../core/quoting.ts';
import { type Body, bodyOf, listOf, type Node, namesOf, walk } from './parse-tree.ts';

/** A column of a table: `relation` is text for to_regclass, quoted and qualified as typed. */
export type TableColumn = { readonly relation: string; readonly column: string };

type Table = {
  readonly relation: string;
  readonly schema: string | undefined;
  readonly name: string;
};

/**
 * The tables in the FROM of one SELECT, and which of their columns an expression is. Subqueries,
 * functions and names that some WITH of the statement defines are not tables.
 */
export class FromTables {
  readonly #tables: readonly Table[];

  constructor(statement: Node, select: Body) {
    const defined = new Set<unknown>();
    walk(statement, (tag, body) => {
      if (tag === 'CommonTableExpr') defined.add(body['ctename']);
      return undefined;
    });
    const tables: Table[] = [];
    walk(listOf(select, 'fromClause'), (tag, body) => {
      if (tag === 'RangeVar') {
        const table = readTable(body);
        if (
          table !== undefined &&
          !(body['schemaname'] === undefined && defined.has(body['relname']))
        ) {
          tables.push(table);
        }
      }
      return tag === 'RangeSubselect' || tag === 'RangeFunction' ? false : undefined;
    });
    this.#tables = tables;
  }

  /** The table columns an expression may be, most often one; none when it is anything else. */
  columnsOf(expression: Node): readonly TableColumn[] {
    const reference = bodyOf(expression, 'ColumnRef');
    if (reference === undefined) return [];
    const names = namesOf(listOf(reference, 'fields'));
    const column = names.at(-1)!;
    const [table, schema] = [names.at(-2), names.at(-3)];
    if (column === '*' || names.length > 3) return [];
    return this.#tables
      .filter((one) => table === undefined || one.name === table)
      .filter((one) => schema === undefined || one.schema === schema)
      .map(({ relation }) => ({ relation, column }));
  }
}

function readTable(body: Body): Table | undefined {
  const alias = (body['alias'] ?? {}) as Body;
  // The columns have other names than in the table.
  if (body['catalogname'] !== undefined || alias['colnames'] !== undefined) return undefined;
  const schema = body['schemaname'] as string | undefined;
  const name = body['relname'] as string;
  const relation = [schema, name]
    .filter((part) => part !== undefined)
    .map(quoteIdentifier)
    .join('.');
  const known = (alias['aliasname'] as string | undefined) ?? name;
  return { relation, schema: alias['aliasname'] === undefined ? schema : undefined, name: known };
}
