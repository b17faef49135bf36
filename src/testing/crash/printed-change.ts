import type { Change } from '../../contracts/change.ts';
import { printLsn } from '../../core/lsn.ts';

/** What a change says, but for its place: two decodings of the same change print the same. */
export function printChange(
  change: Pick<Change, 'operation' | 'table' | 'before' | 'after' | 'schemaChange'>,
): string {
  const { operation, table, before, after, schemaChange } = change;
  // Of a FULL table the log knows the primary key, which the messages do not say; and a root is
  // FULL only where its leaves are.
  const isFull = table?.columns.every(({ isKey }) => isKey) === true;
  const columns = table?.columns.map(({ name, typeOid, typeModifier, isKey }) =>
    [name, typeOid, typeModifier, table.replicaIdentity === 'full' || isFull || isKey].join(' '),
  );
  const named = table && [table.oid, table.schema, table.name];
  // Undefined values would look like NULLs.
  return JSON.stringify([operation, named, columns, before, after, schemaChange], (_key, value) =>
    value === undefined ? { absent: true } : (value as unknown),
  );
}

export function printPlace({ position, xid }: Pick<Change, 'position' | 'xid'>): string {
  return `${position.epoch}:${printLsn(position.lsn)}:${position.seq} of ${xid}`;
}
