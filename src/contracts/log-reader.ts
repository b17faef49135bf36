/**
 * Reading a change log, on the same disk or from the node that has it. Any number of readers read
 * while it is written; none of them changes it. Every method rejects with a PgError: 55000 when
 * there is no log or it is damaged, 22023 when a position is before its start, 08006 when the node
 * that has it cannot be reached. A call can be repeated.
 */
import type { Change, ChangePosition, TableVersion } from './change.ts';
import type { WalSamples } from './wal-samples.ts';

/** What is in a log now. Undefined positions: it holds no change yet. */
export type LogBounds = {
  /** The epoch that is being written. */
  readonly epoch: number;
  /** Every epoch of which the log may hold changes, oldest first, ended ones with their end. */
  readonly epochs: readonly EpochBounds[];
  /** Reading from before this LSN of the first epoch is refused; it may be anywhere after it. */
  readonly startLsn: bigint;
  /** All of the WAL before this LSN is in the log, as far as it is captured. */
  readonly endLsn: bigint;
};

export type EpochBounds = {
  readonly epoch: number;
  /**
   * Where its capture began, which stays as it is when old changes are removed: changes of the
   * first epoch are gone when the log's `startLsn` is greater, and none ever were when it is equal.
   */
  readonly startLsn: bigint;
  /** Of an epoch that has ended: what it had read. Between it and the next there is a gap. */
  readonly endLsn: bigint | undefined;
};

/** Which tables are wanted: all, or these versions. */
export type TableFilter = 'all' | ReadonlySet<number>;

export type ReadForward = {
  /** Where to begin: behind this change, or with the first one at or behind this LSN. */
  readonly from:
    | { readonly kind: 'start' }
    | { readonly kind: 'after'; readonly position: ChangePosition }
    | { readonly kind: 'at'; readonly epoch: number; readonly lsn: bigint };
  readonly tables: TableFilter;
  /** DDL too. */
  readonly schemaChanges: boolean;
  readonly changesMax: number;
};

export type ChangeBatch = {
  /** In order; empty when nothing that is wanted has come yet. */
  readonly changes: readonly Change[];
  /** Everything wanted up to here is in the batch; where to go on. */
  readonly through: ChangePosition;
  /** There was nothing behind it when it was read. */
  readonly isAtEnd: boolean;
};

export type ReadBackward = {
  /** Only changes before this one. */
  readonly before: ChangePosition | undefined;
  readonly tables: TableFilter;
  readonly schemaChanges: boolean;
  readonly changesMax: number;
};

export interface LogReader extends WalSamples {
  bounds(): Promise<LogBounds>;
  /** Every version of every table the log has a change of. */
  tables(): Promise<readonly TableVersion[]>;
  /** How many changes of these versions the log holds, of one epoch or of all. No DDL. */
  count(versions: ReadonlySet<number>, epoch?: number): Promise<number>;
  read(request: ReadForward): Promise<ChangeBatch>;
  /**
   * The last changes, in order, oldest first. `isAtStart`: there is nothing wanted before them.
   * May answer fewer than wanted (or none) although there are more: ask again with `before`.
   */
  readBackward(request: ReadBackward): Promise<{
    readonly changes: readonly Change[];
    readonly before: ChangePosition;
    readonly isAtStart: boolean;
  }>;
  /**
   * Resolves when the log goes beyond the position, when the signal aborts or the reader is closed.
   * Never rejects. A new epoch is beyond every position of those before it, also while it has no
   * change.
   */
  changed(beyond: ChangePosition, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
