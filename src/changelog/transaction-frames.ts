import { failpoint } from '../core/failpoint.ts';
import { openKey, segmentIndexNumber, segmentKey } from './format.ts';
import { frameHeaderBytes, GrowingBytes, VersionCounts } from './frames.ts';
import { chunkBytesMax, chunksPutMax } from './limits.ts';
import { removeSegment } from './remove-segment.ts';
import { decodeChunk, encodeChunk, encodeSegmentIndex, forEachFrame } from './segment.ts';
import { versionOfFrame } from './stored-frame.ts';
import type { WriteQueue } from './write-queue.ts';

/**
 * The frames of one transaction while it comes in. Small ones stay in memory until the commit;
 * beyond a chunk they go to a segment on disk, so memory does not depend on their number.
 */
export class TransactionFrames {
  readonly #queue: WriteQueue;
  readonly #pending: GrowingBytes = new GrowingBytes(chunkBytesMax);
  readonly #pendingCounts: VersionCounts = new VersionCounts();
  #pendingChanges = 0;
  #segment: bigint | undefined;
  #index: { readonly number: number; readonly changes: number }[] = [];
  #nextChunk = 0;
  /** Chunks that are put together: a write transaction for each costs more than what is in it. */
  #spilled: { readonly number: number; readonly bytes: Buffer }[] = [];
  #segmentBytes = 0;
  #changes = 0;
  #counts: VersionCounts = new VersionCounts();
  readonly #aborted: Set<number> = new Set();

  constructor(queue: WriteQueue) {
    this.#queue = queue;
  }

  get changes(): number {
    return this.#changes;
  }

  get counts(): VersionCounts {
    return this.#counts;
  }

  /** Bytes in memory. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** Frames that are not on disk, or all of them while there is no segment. */
  get pending(): Buffer {
    return this.#pending.view();
  }

  get segment(): { readonly segment: bigint; readonly bytes: number } | undefined {
    return this.#segment === undefined
      ? undefined
      : { segment: this.#segment, bytes: this.#segmentBytes };
  }

  /**
   * Makes room for a frame of that many payload bytes and writes its header. Answers where the
   * payload goes in `bytes`, which is valid until the next call.
   */
  reserve(payloadBytes: number, walLsn: bigint): number {
    const needed = frameHeaderBytes + payloadBytes;
    if (this.#pending.length > 0 && this.#pending.length + needed > chunkBytesMax) this.spill();
    const at = this.#pending.reserve(needed);
    this.#pending.bytes.writeUInt32BE(payloadBytes, at);
    this.#pending.writeInt64(at + 4, walLsn);
    return at + frameHeaderBytes;
  }

  get bytes(): Buffer {
    return this.#pending.bytes;
  }

  /** Counts the changes of the frame that was just reserved. */
  count(version: number): void {
    this.#changes += 1;
    this.#pendingChanges += 1;
    this.#pendingCounts.add(version, 1);
  }

  /** Makes a chunk of what is in memory; it goes to the disk with others. */
  spill(): void {
    if (this.#pending.length === 0) return;
    this.#segment ??= this.#openSegment();
    const chunk = encodeChunk(
      this.#pending.view(),
      this.#pendingChanges,
      this.#pendingCounts,
      this.#queue.buffers,
    );
    this.#spilled.push({ number: this.#nextChunk, bytes: chunk });
    this.#index.push({ number: this.#nextChunk, changes: this.#pendingChanges });
    this.#nextChunk += 1;
    this.#segmentBytes += chunk.length;
    this.#counts.addAll(this.#pendingCounts);
    this.#pendingCounts.clear();
    this.#pendingChanges = 0;
    this.#pending.clear();
    failpoint('capture.spill');
    if (this.#spilled.length >= chunksPutMax) this.putSpilled();
  }

  /** Sends chunks that wait for others to the disk; when no more may come for a while. */
  putSpilled(): void {
    for (const { number, bytes } of this.#spilled) this.#put(number, bytes);
    this.#spilled = [];
  }

  /** The changes of a subtransaction did not survive. */
  abortSubtransaction(subxid: number): void {
    this.#aborted.add(subxid);
  }

  /**
   * Before the commit: frames of aborted subtransactions go, so that nobody has to know of them,
   * and a segment gets its index. Undefined when that is done, else a promise of it.
   */
  finish(): Promise<void> | undefined {
    if (this.#aborted.size > 0) return this.#compact().then(() => this.#finish());
    this.#finish();
    return undefined;
  }

  #finish(): void {
    if (this.#segment === undefined) {
      this.#counts.addAll(this.#pendingCounts);
      this.#pendingCounts.clear();
      return;
    }
    this.spill();
    this.putSpilled();
    const index = encodeSegmentIndex(this.#index);
    this.#segmentBytes += index.length;
    this.#put(segmentIndexNumber, index);
    failpoint('capture.index');
  }

  /** The transaction is over: its segment, if it has one, belongs to a block or to nobody. */
  async discard(): Promise<void> {
    this.#spilled = [];
    if (this.#segment === undefined) return;
    await removeSegment(this.#queue, this.#segment);
  }

  /** In the batch that writes the block: the segment is referenced now. */
  closeSegment(): void {
    if (this.#segment === undefined) return;
    this.#queue.watch(0, this.#queue.store.open.remove(openKey(this.#segment)));
  }

  /** Ready for another transaction. */
  reset(): void {
    this.#pending.clear();
    this.#pendingCounts.clear();
    this.#pendingChanges = 0;
    this.#segment = undefined;
    this.#index = [];
    this.#nextChunk = 0;
    this.#segmentBytes = 0;
    this.#changes = 0;
    this.#counts.clear();
    if (this.#aborted.size > 0) this.#aborted.clear();
  }

  #openSegment(): bigint {
    const segment = this.#queue.newSegment();
    this.#queue.watch(0, this.#queue.store.open.put(openKey(segment), Buffer.alloc(1)));
    return segment;
  }

  #put(number: number, bytes: Buffer): void {
    const key = segmentKey(this.#segment!, number);
    this.#queue.watch(bytes.length, this.#queue.store.segments.put(key, bytes), bytes);
  }

  async #compact(): Promise<void> {
    const { store } = this.#queue;
    const rebuilt = new TransactionFrames(this.#queue);
    rebuilt.#segment = this.#segment;
    // Chunks only get fewer, so that each is written after it was read.
    if (this.#segment !== undefined) {
      this.putSpilled();
      await this.#queue.committed();
      for (const { number } of this.#index) {
        const key = segmentKey(this.#segment, number);
        const chunk = store.segments.get(key);
        failpoint('capture.compact');
        if (chunk !== undefined) this.#copySurvivors(decodeChunk(chunk).frames, rebuilt);
        await this.#queue.committed();
      }
      for (const { number } of this.#index.slice(rebuilt.#index.length)) {
        this.#queue.watch(0, store.segments.remove(segmentKey(this.#segment, number)));
      }
    }
    this.#copySurvivors(this.#pending.view(), rebuilt);
    rebuilt.putSpilled();
    this.#adopt(rebuilt);
  }

  #copySurvivors(frames: Buffer, into: TransactionFrames): void {
    forEachFrame(frames, (start, end) => {
      // The subtransaction is named behind the type byte of each streamed message.
      if (this.#aborted.has(frames.readUInt32BE(start + 1))) return;
      const at = into.reserve(end - start, frames.readBigUInt64BE(start - 8));
      frames.copy(into.bytes, at, start, end);
      into.count(versionOfFrame(frames, start, true));
    });
  }

  #adopt(other: TransactionFrames): void {
    this.#pending.clear();
    const rest = other.#pending.view();
    const at = this.#pending.reserve(rest.length);
    rest.copy(this.#pending.bytes, at);
    this.#pendingCounts.clear();
    this.#pendingCounts.addAll(other.#pendingCounts);
    this.#pendingChanges = other.#pendingChanges;
    this.#index = other.#index;
    this.#nextChunk = other.#nextChunk;
    this.#segmentBytes = other.#segmentBytes;
    this.#changes = other.#changes;
    this.#counts = other.#counts;
    this.#aborted.clear();
  }
}
