import type { BufferPool } from './buffer-pool.ts';
import type { LogStore } from './log-store.ts';

/** Who counts what waits to be written. */
export type WriteQueue = {
  readonly store: LogStore;
  /** For values of about a chunk. */
  readonly buffers: BufferPool;
  newSegment(): bigint;
  /**
   * A write is under way; what goes wrong is the writer's to report. A value that was taken from
   * `buffers` goes back there when it is written.
   */
  watch(bytes: number, written: Promise<unknown>, value?: Buffer): void;
  /** Everything put so far has arrived; rejects when something of it has not. */
  committed(): Promise<void>;
};
