import type {
  Change,
  Operation,
  SchemaChange,
  TableVersion,
  Tuple,
} from '../../contracts/change.ts';
import { logStreamDamaged } from '../../core/errors/log-stream.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readPosition, writePosition } from './position-codec.ts';
import { readTable, type TableTexts, writeTable } from './table-codec.ts';

/*
 * Changes:  tables u16, each a text (JSON) · changes u32, each
 *   flags u8, then what they say is there:
 *     (another transaction than that of the change before) epoch, LSN, commit time i64, xid u64 ·
 *     seq · WAL LSN u64 · table u16 · old row · new row · schema change
 *   A row is values u16, each a text.
 */
const operations = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'DDL'] as const satisfies Operation[];
const operationMask = 0x07;
const sameTransaction = 0x08;
const hasTable = 0x10;
const hasBefore = 0x20;
const hasAfter = 0x40;
const hasSchemaChange = 0x80;
/** Flags, seq and WAL LSN. */
const changeBytesMin = 17;
const textBytesMin = 4;

export function writeChanges(writer: ByteWriter, changes: readonly Change[]): void {
  const tables = new Map<TableVersion, number>();
  for (const { table } of changes) {
    if (table !== undefined && !tables.has(table)) tables.set(table, tables.size);
  }
  writer.u16(tables.size);
  for (const table of tables.keys()) writeTable(writer, table);
  writer.u32(changes.length);
  let previous: Change | undefined;
  for (const change of changes) {
    writeChange(writer, change, { previous, tables });
    previous = change;
  }
}

function writeChange(
  writer: ByteWriter,
  change: Change,
  known: {
    readonly previous: Change | undefined;
    readonly tables: ReadonlyMap<TableVersion, number>;
  },
): void {
  const { position, table, before, after, schemaChange } = change;
  const isSame = isOfTransaction(change, known.previous);
  writer.u8(
    operations.indexOf(change.operation) |
      (isSame ? sameTransaction : 0) |
      (table === undefined ? 0 : hasTable) |
      (before === undefined ? 0 : hasBefore) |
      (after === undefined ? 0 : hasAfter) |
      (schemaChange === undefined ? 0 : hasSchemaChange),
  );
  if (isSame) writer.integer(position.seq);
  else {
    writePosition(writer, position);
    writer.i64(change.committedAtMicros);
    writer.u64(change.xid);
  }
  writer.u64(change.walLsn);
  if (table !== undefined) writer.u16(known.tables.get(table)!);
  if (before !== undefined) writeTuple(writer, before);
  if (after !== undefined) writeTuple(writer, after);
  if (schemaChange !== undefined) writeSchemaChange(writer, schemaChange);
}

function isOfTransaction(change: Change, previous: Change | undefined): boolean {
  return (
    previous !== undefined &&
    previous.position.lsn === change.position.lsn &&
    previous.position.epoch === change.position.epoch &&
    previous.xid === change.xid &&
    previous.committedAtMicros === change.committedAtMicros
  );
}

function writeTuple(writer: ByteWriter, tuple: Tuple): void {
  writer.u16(tuple.length);
  for (const value of tuple) writer.text(value);
}

function writeSchemaChange(writer: ByteWriter, change: SchemaChange): void {
  writer.text(change.command);
  writer.u32(change.tableOid);
  writer.text(change.schema);
  writer.text(change.name);
  writer.u8(change.rewritesRows ? 1 : 0);
}

export function readChanges(reader: ByteReader, texts: TableTexts): Change[] {
  const tables: TableVersion[] = [];
  const tableCount = reader.countOf(reader.u16(), textBytesMin);
  for (let index = 0; index < tableCount; index += 1) tables.push(readTable(reader, texts));
  const changes: Change[] = [];
  const count = reader.countOf(reader.u32(), changeBytesMin);
  for (let index = 0; index < count; index += 1) {
    changes.push(readChange(reader, changes.at(-1), tables));
  }
  return changes;
}

function readChange(
  reader: ByteReader,
  previous: Change | undefined,
  tables: readonly TableVersion[],
): Change {
  const flags = reader.u8();
  const operation = operations[flags & operationMask];
  if (operation === undefined) throw logStreamDamaged('A change has an unknown operation.');
  const transaction =
    (flags & sameTransaction) === 0 ? readTransaction(reader) : inTransaction(reader, previous);
  return {
    ...transaction,
    walLsn: reader.u64(),
    operation,
    table: (flags & hasTable) === 0 ? undefined : tableAt(tables, reader.u16()),
    before: (flags & hasBefore) === 0 ? undefined : readTuple(reader),
    after: (flags & hasAfter) === 0 ? undefined : readTuple(reader),
    schemaChange: (flags & hasSchemaChange) === 0 ? undefined : readSchemaChange(reader),
  };
}

type TransactionOfChange = Pick<Change, 'position' | 'committedAtMicros' | 'xid'>;

function readTransaction(reader: ByteReader): TransactionOfChange {
  const position = readPosition(reader);
  return { position, committedAtMicros: reader.i64(), xid: reader.u64() };
}

function inTransaction(reader: ByteReader, previous: Change | undefined): TransactionOfChange {
  if (previous === undefined) throw logStreamDamaged('A change is of no transaction.');
  const { epoch, lsn } = previous.position;
  return {
    position: { epoch, lsn, seq: reader.integer() },
    committedAtMicros: previous.committedAtMicros,
    xid: previous.xid,
  };
}

function tableAt(tables: readonly TableVersion[], index: number): TableVersion {
  const table = tables[index];
  if (table === undefined) throw logStreamDamaged('A change is of an unknown table.');
  return table;
}

function readTuple(reader: ByteReader): Tuple {
  const count = reader.countOf(reader.u16(), textBytesMin);
  const values: (string | null | undefined)[] = [];
  for (let index = 0; index < count; index += 1) values.push(reader.text());
  return values;
}

function readSchemaChange(reader: ByteReader): SchemaChange {
  return {
    command: reader.string(),
    tableOid: reader.u32(),
    schema: reader.string(),
    name: reader.string(),
    rewritesRows: reader.u8() === 1,
  };
}
