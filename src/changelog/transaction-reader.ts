import { logDamaged } from '../core/errors/change-log.ts';
import type { TransactionRecord } from './block.ts';
import { segmentIndexNumber, segmentKey } from './format.ts';
import type { LogStore } from './log-store.ts';
import { type Chunk, decodeChunk, decodeSegmentIndex, type SegmentIndex } from './segment.ts';

/** A stretch of the frames of a transaction: those whose changes are numbered from `firstSeq` on. */
export type FrameRun = {
  readonly frames: Buffer;
  readonly firstSeq: number;
  readonly changes: number;
};

/**
 * The frames of a transaction, a run at a time, forward from the change `fromSeq` or backward from
 * the one before `beforeSeq`. Runs of large transactions that hold no wanted version are left out.
 */
export function* runsForward(
  store: LogStore,
  record: TransactionRecord,
  wanted: { readonly fromSeq: number; readonly versions: ReadonlySet<number> | 'all' },
): Generator<FrameRun> {
  if (record.place.kind === 'inline') {
    yield { frames: record.place.frames, firstSeq: 0, changes: record.changes };
    return;
  }
  const { segment } = record.place;
  let firstSeq = 0;
  for (const { number, changes } of segmentIndex(store, segment)) {
    if (firstSeq + changes > wanted.fromSeq) {
      const chunk = readChunk(store, segment, number);
      if (isWanted(chunk, wanted.versions)) yield { frames: chunk.frames, firstSeq, changes };
    }
    firstSeq += changes;
  }
}

export function* runsBackward(
  store: LogStore,
  record: TransactionRecord,
  wanted: { readonly beforeSeq: number; readonly versions: ReadonlySet<number> | 'all' },
): Generator<FrameRun> {
  if (record.place.kind === 'inline') {
    yield { frames: record.place.frames, firstSeq: 0, changes: record.changes };
    return;
  }
  const { segment } = record.place;
  const index = segmentIndex(store, segment);
  let end = record.changes;
  for (const { number, changes } of [...index].reverse()) {
    const firstSeq = end - changes;
    if (firstSeq < wanted.beforeSeq) {
      const chunk = readChunk(store, segment, number);
      if (isWanted(chunk, wanted.versions)) yield { frames: chunk.frames, firstSeq, changes };
    }
    end = firstSeq;
  }
}

function segmentIndex(store: LogStore, segment: bigint): SegmentIndex {
  const bytes = store.segments.get(segmentKey(segment, segmentIndexNumber));
  if (bytes === undefined) throw logDamaged(`Segment ${segment} has no index.`);
  return decodeSegmentIndex(bytes);
}

function readChunk(store: LogStore, segment: bigint, number: number): Chunk {
  const bytes = store.segments.get(segmentKey(segment, number));
  if (bytes === undefined) throw logDamaged(`Chunk ${number} of segment ${segment} is missing.`);
  return decodeChunk(bytes);
}

function isWanted(chunk: Chunk, versions: ReadonlySet<number> | 'all'): boolean {
  if (versions === 'all') return true;
  for (const version of chunk.versions) if (versions.has(version)) return true;
  return false;
}
