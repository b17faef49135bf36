import { PgError } from '../core/errors/pg-error.ts';
import {
  snapshotFailed,
  snapshotInterrupted,
  snapshotNotPermitted,
} from '../core/errors/snapshot.ts';
import { describeFailure } from '../postgres/database-failure.ts';

/** Serialization, deadlock, lock and statement timeouts, too many connections, shutdown. */
const passing = /^(?:08|40|53|57|55P03$|25P03$)/;

/** What went wrong while the table was read, as an error that says what to do. */
export function snapshotFailure(table: string, cause: unknown): Error {
  if (cause instanceof PgError) return cause;
  // A mistake in the program is not a lost connection, and would be repeated for ever.
  if (cause instanceof TypeError || cause instanceof RangeError) return cause;
  const failure = describeFailure(cause);
  if (failure.isConnectionLost || passing.test(failure.code)) {
    return snapshotInterrupted(table, failure, cause);
  }
  if (failure.code === '42501') return snapshotNotPermitted(table, failure.message, cause);
  return snapshotFailed(table, failure, cause);
}

/**
 * Whether a table that is altered or dropped between the snapshot and the lock would look so. The
 * next attempt sees what it has become.
 */
export function mayBeAltered(cause: unknown): boolean {
  if (cause instanceof PgError) return false;
  const { code } = describeFailure(cause);
  return /^42/.test(code) && code !== '42501' ? true : code === 'XX000';
}
