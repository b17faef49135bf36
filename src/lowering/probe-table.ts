import { quoteIdentifier } from '../core/quoting.ts';
import {
  type Body,
  bodyOf,
  listOf,
  locationOf,
  type Node,
  namesOf,
  tagOf,
} from '../sql/parse-tree.ts';
import type { Source } from '../sql/source.ts';
import { generated, type Piece, type Pieces, template } from './splice.ts';

/**
 * What the expressions of a statement that is no query read their columns from, as an item of FROM:
 * the table of CREATE INDEX and ALTER TABLE, the columns that CREATE TABLE defines. Undefined for
 * other statements and where the columns are not all in the text.
 */
export function expressionTable(source: Source, node: Node): Pieces | undefined {
  const tag = tagOf(node);
  const body = node[tag]!;
  switch (tag) {
    case 'IndexStmt':
      return tableName(source, body['relation'] as Body);
    case 'AlterTableStmt':
      // A second command may read the column that the first one adds.
      return listOf(body, 'cmds').length === 1 && body['missing_ok'] !== true
        ? tableName(source, body['relation'] as Body)
        : undefined;
    case 'CreateStmt':
      return definedColumns(source, body);
    default:
      return undefined;
  }
}

function tableName(source: Source, relation: Body): Pieces {
  const names = [relation['catalogname'], relation['schemaname'], relation['relname']];
  const quoted = names.filter((name) => typeof name === 'string').map(quoteIdentifier);
  return [generated(quoted.join('.'), source.unitOf(locationOf(relation)))];
}

function definedColumns(source: Source, body: Body): Pieces | undefined {
  if (body['inhRelations'] !== undefined || body['ofTypename'] !== undefined) return undefined;
  const relation = body['relation'] as Body;
  const anchor = source.unitOf(locationOf(relation));
  const columns: Piece[] = [];
  for (const element of listOf(body, 'tableElts')) {
    if (bodyOf(element, 'Constraint') !== undefined) continue;
    const column = bodyOf(element, 'ColumnDef');
    const type = column?.['typeName'] as Body | undefined;
    const text = type === undefined ? undefined : typeText(type);
    if (column === undefined || type === undefined || text === undefined) return undefined;
    const name = quoteIdentifier(String(column['colname']));
    columns.push(generated(columns.length === 0 ? '' : ', ', anchor));
    // An error about the type points at it.
    columns.push(generated(`NULL::${text} AS ${name}`, source.unitOf(locationOf(type))));
  }
  const name = quoteIdentifier(String(relation['relname']));
  return template('(SELECT {0}) AS {1}', anchor, columns, [generated(name, anchor)]);
}

const serials: ReadonlyMap<string, string> = new Map([
  ...(['smallserial', 'serial2'] as const).map((name) => [name, 'int2'] as const),
  ...(['serial', 'serial4'] as const).map((name) => [name, 'int4'] as const),
  ...(['bigserial', 'serial8'] as const).map((name) => [name, 'int8'] as const),
]);

/** A type without its modifiers, which say nothing of what windows depend on. */
function typeText(type: Body): string | undefined {
  if (type['pct_type'] === true || type['setof'] === true) return undefined;
  const names = namesOf(listOf(type, 'names'));
  const serial = names.length === 1 ? serials.get(names[0]!) : undefined;
  const brackets = listOf(type, 'arrayBounds').map(() => '[]');
  return `${serial ?? names.map(quoteIdentifier).join('.')}${brackets.join('')}`;
}
