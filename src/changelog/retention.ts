import { failpoint } from '../core/failpoint.ts';
import {
  type BlockHeader,
  decodeBlockHeader,
  decodeRecords,
  openBlock,
  type TransactionRecord,
} from './block.ts';
import { blockKey, indexKey, openKey, readBlockKey } from './format.ts';
import { heldBytesFactor } from './limits.ts';
import type { LogState } from './log-state.ts';
import { removeSegment } from './remove-segment.ts';
import type { WriteQueue } from './write-queue.ts';

/** What of a log may be removed. */
export type Retention = {
  /** More than that goes, oldest first. */
  readonly bytesMax: number;
  /** What was committed before goes; microseconds since 1970, undefined for no age. */
  readonly committedBefore: bigint | undefined;
  /** The slowest reader that counts: what it has not read stays, within the cap. */
  readonly heldFrom: { readonly epoch: number; readonly lsn: bigint } | undefined;
};

type OldestBlock = {
  readonly key: Buffer;
  readonly epoch: number;
  readonly lsn: bigint;
  readonly bytes: number;
  readonly header: BlockHeader;
  readonly records: readonly TransactionRecord[];
};

/** A log that is made shorter. */
export type TrimmedLog = {
  readonly state: () => LogState;
  /** Calls `put` and writes the state with what it put, in one transaction. */
  readonly write: (state: () => LogState, put: () => void) => Promise<void>;
};

/**
 * Removes blocks from the start of a log. The state without a block is written in the same
 * transaction that removes it; its segments go afterwards, marked as nobody's until then.
 */
export async function trimOldest(
  queue: WriteQueue,
  log: TrimmedLog,
  retention: Retention,
): Promise<void> {
  for (;;) {
    const oldest = oldestBlock(queue);
    if (oldest === undefined || !isUnwanted(oldest, log.state(), retention)) return;
    const segments = oldest.records.flatMap(({ place }) =>
      place.kind === 'segment' ? [place.segment] : [],
    );
    await log.write(
      () => without(log.state(), oldest),
      () => putWithout(queue, oldest, segments),
    );
    failpoint('capture.trim');
    for (const segment of segments) await removeSegment(queue, segment);
    await queue.committed();
  }
}

function putWithout(queue: WriteQueue, oldest: OldestBlock, segments: readonly bigint[]): void {
  for (const segment of segments) {
    queue.watch(1, queue.store.open.put(openKey(segment), Buffer.alloc(1)));
  }
  for (const version of oldest.header.counts.keys()) {
    queue.watch(0, queue.store.index.remove(indexKey(version, oldest.epoch, oldest.lsn)));
  }
  queue.watch(0, queue.store.blocks.remove(oldest.key));
}

function oldestBlock(queue: WriteQueue): OldestBlock | undefined {
  for (const { key, value } of queue.store.blocks.getRange({ start: blockKey(0, 0n), limit: 1 })) {
    const opened = openBlock(value);
    const header = decodeBlockHeader(opened);
    const records = [...decodeRecords(opened, header)];
    return { key, ...readBlockKey(key), bytes: value.length, header, records };
  }
  return undefined;
}

function isUnwanted(oldest: OldestBlock, state: LogState, retention: Retention): boolean {
  const isTooMuch = state.bytes > retention.bytesMax;
  const last = oldest.records.at(-1);
  const isTooOld =
    retention.committedBefore !== undefined &&
    last !== undefined &&
    last.committedAt < retention.committedBefore;
  if (!isTooMuch && !isTooOld) return false;
  const { heldFrom } = retention;
  if (heldFrom === undefined) return true;
  const isHeld =
    oldest.epoch > heldFrom.epoch ||
    (oldest.epoch === heldFrom.epoch && oldest.header.lastCommitLsn >= heldFrom.lsn);
  return !isHeld || state.bytes > heldBytesFactor * retention.bytesMax;
}

function without(state: LogState, { epoch, bytes, header }: OldestBlock): LogState {
  let changes = 0;
  for (const count of header.counts.values()) changes += count;
  return {
    ...state,
    trimmed: { epoch, lsn: header.lastCommitLsn, seq: header.lastChanges - 1 },
    epochs: state.epochs.filter((each) => each.epoch >= epoch),
    bytes: Math.max(0, state.bytes - bytes - header.segmentBytes),
    changes: Math.max(0, state.changes - changes),
  };
}
