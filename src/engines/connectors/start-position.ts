import { setTimeout as delay } from 'node:timers/promises';
import type { Connector } from '../../catalog/connector-catalog.ts';
import type { ChangePosition } from '../../contracts/change.ts';
import type { LogBounds, LogReader, ReadForward } from '../../contracts/log-reader.ts';

/** Where a reader goes on; epoch 0 is before everything. */
export function readingFrom(position: ChangePosition, bounds?: LogBounds): ReadForward['from'] {
  if (position.epoch === 0) return { kind: 'start' };
  const { epoch, lsn, seq } = position;
  const first = bounds?.epochs[0];
  // The log was begun later, and nothing of it has been removed yet: all of it is behind.
  const isBefore = first?.epoch === epoch && lsn <= first.startLsn;
  if (isBefore && bounds?.startLsn === first.startLsn) return { kind: 'start' };
  return seq < 0 ? { kind: 'at', epoch, lsn } : { kind: 'after', position };
}

/**
 * Where a connector that was just made begins: behind the commit of the transaction that made it,
 * which says so in the WAL. Where the log has no such transaction although it has come as far as
 * the server had when that was over, the whole log is behind it.
 *
 * @param writtenLsn how far the WAL was written when the connector could be seen
 */
export async function findStart(
  reader: LogReader,
  connector: Pick<Connector, 'position' | 'startsBehind'>,
  writtenLsn: bigint,
  signal: AbortSignal,
): Promise<ReadForward['from']> {
  const begin = readingFrom(connector.position, await reader.bounds());
  let from = begin;
  const nothing: ReadonlySet<number> = new Set();
  for (;;) {
    signal.throwIfAborted();
    const { endLsn } = await reader.bounds();
    const batch = await reader.read({
      from,
      tables: nothing,
      schemaChanges: true,
      changesMax: 1_000,
    });
    // The transaction has no more to say than that; rows behind the word are its own.
    const last = batch.changes.findLast(({ xid }) => xid === connector.startsBehind);
    if (last !== undefined) {
      const { epoch, lsn } = last.position;
      return { kind: 'at', epoch, lsn: lsn + 1n };
    }
    if (batch.isAtEnd && endLsn >= writtenLsn) return begin;
    from = { kind: 'after', position: batch.through };
    if (!batch.isAtEnd) continue;
    // A heartbeat brings the end of the log on also where nothing is captured.
    await Promise.race([reader.changed(batch.through, signal), delay(100)]);
  }
}
