import { snapshotKeptBeingRewritten, snapshotTableGone } from '../core/errors/snapshot.ts';
import { snapshotAttemptsMax } from '../core/limits.ts';
import type { TextSession } from '../postgres/text-session.ts';
import { beginReading, endReading, type OpenSnapshot } from './chunk-transaction.ts';
import { mayBeAltered } from './snapshot-failure.ts';
import type { SnapshotState } from './snapshot-state.ts';
import {
  compareTables,
  displayName,
  readSnapshotTable,
  type SnapshotTable,
} from './snapshot-table.ts';
import { wereRewritten } from './table-catalog.ts';

export type Fitting<T> = {
  readonly table: SnapshotTable;
  readonly open: OpenSnapshot;
  readonly answer: T;
};

/**
 * Opens a transaction and does in it what locks the table. A snapshot is taken before its first
 * lock can be, and whoever held the table in between may have changed what an older snapshot finds:
 * then once more. The transaction is left open, and also, for the session to end it, on an error.
 */
export async function beginFitting<T>(
  session: TextSession,
  state: SnapshotState,
  lock: (table: SnapshotTable) => Promise<T>,
): Promise<Fitting<T>> {
  for (let attempt = 1; attempt <= snapshotAttemptsMax; attempt += 1) {
    const open = await beginReading(session);
    try {
      const table = await presentTable(session, state);
      const answer = await lock(table);
      if (!(await wereRewritten(session, table.leaves))) return { table, open, answer };
    } catch (error) {
      if (!mayBeAltered(error) || attempt === snapshotAttemptsMax) throw error;
    }
    await endReading(session, false);
  }
  throw snapshotKeptBeingRewritten(displayName(state.table), snapshotAttemptsMax);
}

/** The table as it is now, when all that was read of it still fits. */
async function presentTable(session: TextSession, state: SnapshotState): Promise<SnapshotTable> {
  const table = await readSnapshotTable(session, state.table.oid, state.columns);
  if (table === undefined) throw snapshotTableGone(displayName(state.table));
  compareTables(state.table, table);
  return table;
}
