import { snapshotTooManyRereads, snapshotWithoutKey } from '../core/errors/snapshot.ts';
import { snapshotPointsMax } from '../core/limits.ts';
import type { TextRow, TextSession } from '../postgres/text-session.ts';
import { endReading, selectRows } from './chunk-transaction.ts';
import { beginFitting } from './fitting-snapshot.ts';
import { placeKeys } from './place-keys.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import { type KeyValue, pointCondition } from './snapshot-key.ts';
import { isRead, type SnapshotState } from './snapshot-state.ts';
import { displayName } from './snapshot-table.ts';

export type ReadPoint = {
  /** Undefined when there is no such row now, or the predicate leaves it out. */
  readonly row: TextRow | undefined;
  /** From now on this row is judged by its own snapshot. To be stored with the row. */
  readonly state: SnapshotState;
  /** What the row was read in, as text: a change that is not visible in it is yet to come. */
  readonly snapshot: string;
};

/**
 * Reads one row again, in a snapshot of its own; its chunk must have been read. For a `reread`, and
 * for whoever needs an unchanged TOAST value of a row.
 */
export async function readPoint(
  session: TextSession,
  state: SnapshotState,
  key: KeyValue,
): Promise<ReadPoint> {
  const name = displayName(state.table);
  const tableKey = state.table.key;
  if (tableKey === null) throw snapshotWithoutKey(name, state.table.keyless ?? '');
  if (state.points.length >= snapshotPointsMax)
    throw snapshotTooManyRereads(name, snapshotPointsMax);
  try {
    await checkChunkIsRead(session, state, key);
    const { table, open, answer } = await beginFitting(session, state, (present) => {
      const condition = pointCondition(tableKey, key);
      return session.query(selectRows(present, condition, state.where));
    });
    await endReading(session, true);
    const point = { key, snapshot: open.snapshot };
    const points = [...state.points, point];
    const after = { ...state, table, points, endLsn: String(open.endLsn) };
    return { row: answer[0], state: after, snapshot: open.snapshot };
  } catch (error) {
    // Outside of a transaction this is a warning.
    await endReading(session, false).catch(() => undefined);
    throw snapshotFailure(name, error);
  }
}

/** A chunk that is read later has the row again, in a snapshot that the point would hide. */
async function checkChunkIsRead(
  session: TextSession,
  state: SnapshotState,
  key: KeyValue,
): Promise<void> {
  if (isRead(state)) return;
  const [place] = await placeKeys(session, state, [key]);
  if (place !== undefined && place.chunk < state.chunks.length) return;
  throw new TypeError('a row is read again only after its chunk');
}
