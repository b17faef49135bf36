import type { LogStore } from './log-store.ts';

/** Who counts what waits to be written. */
export type WriteQueue = {
  readonly store: LogStore;
  newSegment(): bigint;
  /** A write is under way; what goes wrong is the writer's to report. */
  watch(bytes: number, written: Promise<unknown>): void;
  /** Everything put so far has arrived; rejects when something of it has not. */
  committed(): Promise<void>;
};
