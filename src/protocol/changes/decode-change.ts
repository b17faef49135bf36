import type { Change, TableVersion, Tuple } from '../../contracts/change.ts';
import { changeDamaged } from '../../core/errors/changes.ts';
import { decodeDelete } from '../pgoutput/delete.ts';
import { decodeInsert } from '../pgoutput/insert.ts';
import { decodeMessage } from '../pgoutput/logical-message.ts';
import { pgoutputMessage } from '../pgoutput/message-type.ts';
import { decodeTruncate, truncatedRelationCount } from '../pgoutput/truncate.ts';
import { decodeUpdate } from '../pgoutput/update.ts';
import { readSchemaChange } from './schema-change.ts';

/** A pgoutput message, `bytes[start, end)`, with ids of table versions in place of the OIDs. */
export type StoredFrame = {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** It was sent inside a stream, so that it has a subtransaction id. */
  readonly streamed: boolean;
};

/** What of a change is in its frame. */
export type DecodedChange = Pick<
  Change,
  'operation' | 'table' | 'before' | 'after' | 'schemaChange'
>;

/** How many changes a frame is: a truncate is one of each of its tables, a relation none. */
export function changeCount({ bytes, start, end, streamed }: StoredFrame): number {
  switch (start < end ? bytes[start] : undefined) {
    case pgoutputMessage.insert:
    case pgoutputMessage.update:
    case pgoutputMessage.delete:
      return 1;
    case pgoutputMessage.truncate:
      return truncatedRelationCount(bytes, start, end, streamed);
    case pgoutputMessage.message: {
      const message = decodeMessage(bytes, start, end, streamed);
      return readSchemaChange(message) === undefined ? 0 : 1;
    }
    default:
      return 0;
  }
}

/**
 * The change a frame is; of a truncate the one of its table number `index`. Undefined for a frame
 * that is none, as `changeCount` says.
 */
export function decodeChange(
  frame: StoredFrame,
  tableVersion: (id: number) => TableVersion | undefined,
  index = 0,
): DecodedChange | undefined {
  const { bytes, start, end, streamed } = frame;
  switch (start < end ? bytes[start] : undefined) {
    case pgoutputMessage.insert: {
      const { relationId, after } = decodeInsert(bytes, start, end, streamed);
      return rowChange('INSERT', versionOf(relationId, tableVersion), undefined, after);
    }
    case pgoutputMessage.update: {
      const { relationId, before, after } = decodeUpdate(bytes, start, end, streamed);
      const known = withUnchanged(before, after);
      return rowChange('UPDATE', versionOf(relationId, tableVersion), before, known);
    }
    case pgoutputMessage.delete: {
      const { relationId, before } = decodeDelete(bytes, start, end, streamed);
      return rowChange('DELETE', versionOf(relationId, tableVersion), before, undefined);
    }
    case pgoutputMessage.truncate: {
      const id = decodeTruncate(bytes, start, end, streamed).relationIds[index];
      if (id === undefined) return undefined;
      return rowChange('TRUNCATE', versionOf(id, tableVersion), undefined, undefined);
    }
    case pgoutputMessage.message:
      return ddlChange(frame);
    default:
      return undefined;
  }
}

function ddlChange({ bytes, start, end, streamed }: StoredFrame): DecodedChange | undefined {
  const schemaChange = readSchemaChange(decodeMessage(bytes, start, end, streamed));
  if (schemaChange === undefined) return undefined;
  return {
    operation: 'DDL',
    table: undefined,
    before: undefined,
    after: undefined,
    schemaChange,
  };
}

function rowChange(
  operation: Change['operation'],
  table: TableVersion,
  before: Tuple | undefined,
  after: Tuple | undefined,
): DecodedChange {
  checkWidth(table, before);
  checkWidth(table, after);
  return { operation, table, before: oldValues(table, before), after, schemaChange: undefined };
}

function versionOf(
  id: number,
  tableVersion: (id: number) => TableVersion | undefined,
): TableVersion {
  const table = tableVersion(id);
  if (table === undefined) throw changeDamaged(`There is no version ${id} of a table.`);
  return table;
}

function checkWidth(table: TableVersion, tuple: Tuple | undefined): void {
  if (tuple === undefined || tuple.length === table.columns.length) return;
  throw changeDamaged(
    `A row of ${tuple.length} values is none of "${table.schema}"."${table.name}", ` +
      `which has ${table.columns.length} columns.`,
  );
}

/**
 * Whether a frame has a whole old row or a key is what the root of partitions says; what is in it
 * depends on the partition. Where not all of them have the whole row the version must not say
 * `full`, and then a NULL means that the column is not there.
 */
function oldValues(table: TableVersion, before: Tuple | undefined): Tuple | undefined {
  if (table.replicaIdentity === 'full' || !before?.includes(null)) return before;
  return before.map((value) => value ?? undefined);
}

/**
 * A value that stayed as it was is the old one, where the old row has it. A NULL there does not
 * count, since only a long value is left out: it is a partition's whose replica identity is less
 * than that of its root.
 */
function withUnchanged(before: Tuple | undefined, after: Tuple): Tuple {
  if (before === undefined || !after.includes(undefined)) return after;
  return after.map((value, i) => (value === undefined ? (before[i] ?? undefined) : value));
}
