import type {
  Change,
  SchemaChange,
  TableVersion,
  Tuple,
  ValueKind,
} from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';
import { printArray } from './array-literal.ts';
import { printScalar, type ScalarPrinter } from './scalar-json.ts';

/** A change as SHOW CDC EVENTS and the Redis endpoint show it; each text is a JSON object. */
export type PrintedChange = {
  readonly key: string | undefined;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Names of columns whose value is not in the change because it stayed as it was. */
  readonly unchanged: readonly string[];
};

/** What the role may see, of what the change knows, in the order of the columns. */
export function printRow(table: TableVersion, tuple: Tuple, rights: VersionRights): string {
  return printValues(table, tuple, rights, printScalar);
}

/**
 * The columns of the replica identity: as they were, else as they are. Undefined when there are
 * none that the role may see.
 */
export function printKey(
  change: Pick<Change, 'table' | 'before' | 'after'>,
  rights: VersionRights,
): string | undefined {
  return keyOf(change, rights, printScalar);
}

export function unchangedColumns(
  change: Pick<Change, 'operation' | 'table' | 'after'>,
  rights: VersionRights,
): string[] {
  const { operation, table, after } = change;
  if (operation !== 'UPDATE' || table === undefined || after === undefined) return [];
  const names: string[] = [];
  for (const [i, column] of table.columns.entries()) {
    if (after[i] === undefined && isVisible(rights, i)) names.push(column.name);
  }
  return names;
}

export function printChange(
  change: Pick<Change, 'operation' | 'table' | 'before' | 'after' | 'schemaChange'>,
  rights: VersionRights,
): PrintedChange {
  return printChangeWith(change, rights, printScalar);
}

/** As `printChange`, with another way to write values. */
export function printChangeWith(
  change: Pick<Change, 'operation' | 'table' | 'before' | 'after' | 'schemaChange'>,
  rights: VersionRights,
  print: ScalarPrinter,
): PrintedChange {
  const { table, before, after, schemaChange } = change;
  if (rights.kind === 'none') return nothing;
  if (schemaChange !== undefined) return { ...nothing, after: printSchemaChange(schemaChange) };
  if (table === undefined) return nothing;
  return {
    key: keyOf(change, rights, print),
    before: before && printValues(table, before, rights, print),
    after: after && printValues(table, after, rights, print),
    unchanged: unchangedColumns(change, rights),
  };
}

const nothing: PrintedChange = {
  key: undefined,
  before: undefined,
  after: undefined,
  unchanged: [],
};

function printSchemaChange(change: SchemaChange): string {
  return JSON.stringify({
    command: change.command,
    table_oid: change.tableOid,
    rewrites_rows: change.rewritesRows,
  });
}

function isVisible(rights: VersionRights, column: number): boolean {
  if (rights.kind === 'all') return true;
  return rights.kind === 'columns' && rights.visible[column] === true;
}

function printValues(
  table: TableVersion,
  tuple: Tuple,
  rights: VersionRights,
  print: ScalarPrinter,
): string {
  const labels = labelsOf(table);
  let json = '';
  for (let i = 0; i < labels.length; i++) {
    const value = tuple[i];
    if (value === undefined || !isVisible(rights, i)) continue;
    json += json === '' ? '{' : ',';
    json += labels[i]! + printValue(table.columns[i]!.valueKind, value, print);
  }
  return json === '' ? '{}' : `${json}}`;
}

function keyOf(
  change: Pick<Change, 'table' | 'before' | 'after'>,
  rights: VersionRights,
  print: ScalarPrinter,
): string | undefined {
  const { table, before, after } = change;
  if (table === undefined) return undefined;
  const values = table.columns.map(({ isKey }, i) => {
    if (!isKey) return undefined;
    return before?.[i] !== undefined ? before[i] : after?.[i];
  });
  const json = printValues(table, values, rights, print);
  return json === '{}' ? undefined : json;
}

function printValue(kind: ValueKind, text: string | null, print: ScalarPrinter): string {
  if (text === null) return 'null';
  if (typeof kind === 'string') return print(kind, text);
  const { arrayOf, delimiter } = kind;
  return printArray(text, { delimiter, printElement: (element) => print(arrayOf, element) });
}

const labels = new WeakMap<TableVersion, readonly string[]>();

/** `"name":` of each column, made once for each table version. */
function labelsOf(table: TableVersion): readonly string[] {
  const known = labels.get(table);
  if (known !== undefined) return known;
  const made = table.columns.map(({ name }) => `${JSON.stringify(name)}:`);
  labels.set(table, made);
  return made;
}
