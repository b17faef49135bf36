import { logAtItsCap, logNotWritten } from '../core/errors/change-log.ts';
import { type CommittedTransaction, encodeBlock, recordBytes, writeRecord } from './block.ts';
import {
  blockKey,
  decodeTail,
  encodeTail,
  indexKey,
  stateKey,
  type Tail,
  tailKey,
  versionKey,
} from './format.ts';
import { GrowingBytes, VersionCounts } from './frames.ts';
import {
  chunkBytesMax,
  fileSlackBytes,
  heldBytesFactor,
  idleFramesMax,
  unwrittenBytesMax,
} from './limits.ts';
import {
  currentEpoch,
  decodeState,
  encodeState,
  type LogSource,
  type LogState,
} from './log-state.ts';
import { fileBytes, type LogStore, openLogStore } from './log-store.ts';
import { removeSegment } from './remove-segment.ts';
import { type Retention, trimOldest } from './retention.ts';
import { encodeShape, type TableShape } from './table-versions.ts';
import { TransactionFrames } from './transaction-frames.ts';
import type { WriteQueue } from './write-queue.ts';

/**
 * The one writer of a change log. Transactions are appended in commit order, gathered into blocks
 * and written with `flush`; what is written is visible to readers at once and survives this
 * process, `durable` says what survives the machine. After a failed write nothing more is written:
 * the log is closed and opened anew.
 */
export class LogWriter implements WriteQueue {
  readonly store: LogStore;
  readonly #directory: string;
  #state: LogState;
  readonly #versions: Map<string, number> = new Map();
  readonly #records: GrowingBytes = new GrowingBytes(chunkBytesMax);
  #counts: VersionCounts = new VersionCounts();
  #transactions = 0;
  #blockLsn = 0n;
  #segmentBytes = 0;
  #closing: TransactionFrames[] = [];
  readonly #idle: TransactionFrames[] = [];
  #last: Pick<Tail, 'lastCommitLsn' | 'lastChanges'> = { lastCommitLsn: 0n, lastChanges: 0 };
  #unwrittenBytes = 0;
  #appended = 0;
  #isDirty = false;
  #failure: unknown;
  #durableLsn = 0n;

  private constructor(directory: string, store: LogStore, state: LogState) {
    this.#directory = directory;
    this.store = store;
    this.#state = state;
    this.#durableLsn = state.endLsn;
  }

  /** Opens a log; `first` is what a new one begins with. @throws PgError 58030, XX001, 0A000 */
  static async open(directory: string, first: NewLog): Promise<LogWriter> {
    const store = openLogStore(directory);
    const stored = store.meta.get(stateKey);
    const state = stored === undefined ? newState(first) : decodeState(stored);
    const writer = new LogWriter(directory, store, state);
    writer.#load();
    await writer.#discardOpen();
    return writer;
  }

  get state(): LogState {
    return this.#state;
  }

  get source(): LogSource {
    return this.#state.source;
  }

  /** All WAL before it has been appended. */
  get endLsn(): bigint {
    return this.#state.endLsn;
  }

  /** All WAL before it is in the log and on the disk. */
  get durableLsn(): bigint {
    return this.#durableLsn;
  }

  /** Changes that were appended since it was opened. */
  get appended(): number {
    return this.#appended;
  }

  get isFull(): boolean {
    return this.#unwrittenBytes > unwrittenBytesMax;
  }

  /** What went wrong with a write; nothing more is written afterwards. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Frames of a new transaction, until they are appended or discarded. */
  begin(): TransactionFrames {
    return this.#idle.pop() ?? new TransactionFrames(this);
  }

  /** The transaction did not commit. */
  async discard(frames: TransactionFrames): Promise<void> {
    await frames.discard();
    this.#release(frames);
  }

  /** The number of a table version, the same for the same shape. */
  tableVersion(shape: TableShape): number {
    const bytes = encodeShape(shape);
    const content = bytes.toString('latin1');
    const known = this.#versions.get(content);
    if (known !== undefined) return known;
    const version = this.#state.nextVersion;
    this.#state = { ...this.#state, nextVersion: version + 1 };
    this.#versions.set(content, version);
    this.watch(bytes.length, this.store.versions.put(versionKey(version), bytes));
    return version;
  }

  /**
   * Appends a transaction; it is written by the next `flush`, or when its block is full. Commit
   * LSNs grow from call to call.
   */
  async append(
    frames: TransactionFrames,
    commit: Pick<
      CommittedTransaction,
      'commitLsn' | 'endLsn' | 'committedAt' | 'xid' | 'hasSubxids'
    >,
  ): Promise<void> {
    // After a reconnect the server may send once more what is here already.
    const isRepeated = commit.commitLsn <= this.#last.lastCommitLsn;
    if (!isRepeated) await frames.finish();
    if (isRepeated || frames.changes === 0) {
      await this.discard(frames);
      this.advance(commit.endLsn);
      return;
    }
    const transaction = { ...commit, changes: frames.changes };
    const place =
      frames.segment === undefined
        ? ({ kind: 'inline', frames: frames.pending } as const)
        : ({ kind: 'segment', ...frames.segment } as const);
    const bytes = recordBytes(place);
    if (this.#records.length > 0 && this.#records.length + bytes > chunkBytesMax) this.#putBlock();
    if (this.#transactions === 0) this.#blockLsn = commit.commitLsn;
    const at = this.#records.reserve(bytes);
    writeRecord(this.#records.bytes, at, transaction, place);
    this.#transactions += 1;
    this.#counts.addAll(frames.counts);
    if (place.kind === 'segment') {
      this.#segmentBytes += place.bytes;
      this.#closing.push(frames);
    }
    const { changes } = frames;
    this.#appended += changes;
    if (place.kind === 'inline') this.#release(frames);
    this.#last = { lastCommitLsn: commit.commitLsn, lastChanges: changes };
    this.advance(commit.endLsn);
  }

  /** There is nothing more to capture before this LSN. */
  advance(lsn: bigint): void {
    if (lsn <= this.#state.endLsn) return;
    this.#state = { ...this.#state, endLsn: lsn };
    this.#isDirty = true;
  }

  /** The last transaction of the epoch; LSN 0 when there is none. */
  get last(): Pick<Tail, 'lastCommitLsn' | 'lastChanges'> {
    return this.#last;
  }

  /** Whether `flush` would write a change. */
  get hasUnflushed(): boolean {
    return this.#transactions > 0;
  }

  /** Makes everything appended visible to readers. */
  flush(): void {
    this.#putBlock();
    if (this.#isDirty) this.#putState();
  }

  /** Resolves when everything flushed so far is on the disk. @throws PgError 53100, 58030 */
  async sync(): Promise<void> {
    const { endLsn } = this.#state;
    await this.store.root.committed;
    await this.store.root.flushed;
    this.throwIfFailed();
    if (endLsn > this.#durableLsn) this.#durableLsn = endLsn;
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw logNotWritten(this.#directory, this.#failure);
  }

  /** From here on LSNs mean something else, or changes are missing: a gap every reader sees. */
  beginEpoch({ epoch, startLsn, timeline, term }: Omit<NewLog, 'source'>): void {
    this.#putBlock();
    const ended = currentEpoch(this.#state);
    const epochs = [
      ...this.#state.epochs.slice(0, -1),
      { ...ended, endLsn: this.#state.endLsn },
      { epoch, startLsn, endLsn: undefined },
    ];
    this.#state = { ...this.#state, epochs, endLsn: startLsn, timeline, term };
    this.#durableLsn = 0n;
    this.#last = { lastCommitLsn: 0n, lastChanges: 0 };
    this.#isDirty = true;
  }

  /** Another owner goes on with it, maybe on another timeline with the same history up to here. */
  goOn(term: number, timeline: number): void {
    this.#state = { ...this.#state, term, timeline };
    this.#isDirty = true;
  }

  /**
   * Another node has captured what is between the end of this log and `startLsn`, in the same
   * epoch: this one begins there, and does not pretend to have what is before.
   */
  async restart(startLsn: bigint): Promise<void> {
    await this.trim({ bytesMax: -1, committedBefore: undefined, heldFrom: undefined });
    const epoch = currentEpoch(this.#state);
    this.#state = {
      ...this.#state,
      epochs: [epoch],
      trimmed: { epoch: epoch.epoch, lsn: startLsn - 1n, seq: 0 },
      endLsn: startLsn,
    };
    this.#last = { lastCommitLsn: 0n, lastChanges: 0 };
    this.#isDirty = true;
  }

  /** Removes the oldest blocks that retention does not want. @throws PgError 53100 at the cap */
  async trim(retention: Retention): Promise<void> {
    const put = (state: LogState): void => {
      this.#state = state;
      this.#putState();
    };
    await trimOldest(this, { state: () => this.#state, put }, retention);
    const max = heldBytesFactor * retention.bytesMax + fileSlackBytes;
    const bytes = fileBytes(this.store);
    if (bytes > max && this.#state.bytes > retention.bytesMax) {
      throw logAtItsCap(this.#directory, bytes, max);
    }
  }

  async close(): Promise<void> {
    await this.store.root.close();
  }

  newSegment(): bigint {
    const segment = this.#state.nextSegment;
    this.#state = { ...this.#state, nextSegment: segment + 1n };
    // Its number must not be given again, even if its transaction never commits.
    this.#putState();
    return segment;
  }

  watch(bytes: number, written: Promise<unknown>): void {
    this.#unwrittenBytes += bytes;
    written.then(
      () => {
        this.#unwrittenBytes -= bytes;
      },
      (error: unknown) => {
        this.#unwrittenBytes -= bytes;
        this.#failure ??= error;
      },
    );
  }

  #release(frames: TransactionFrames): void {
    frames.reset();
    if (this.#idle.length < idleFramesMax) this.#idle.push(frames);
  }

  /** Segments of transactions that had not committed when the last writer ended. */
  async #discardOpen(): Promise<void> {
    for (const key of [...this.store.open.getKeys({})]) {
      await removeSegment(this, key.readBigUInt64BE(0));
    }
  }

  #load(): void {
    const tail = this.store.meta.get(tailKey);
    if (tail !== undefined) this.#last = decodeTail(tail);
    for (const { key, value } of this.store.versions.getRange({})) {
      this.#versions.set(value.toString('latin1'), key.readUInt32BE(0));
    }
  }

  #putBlock(): void {
    if (this.#transactions === 0) return;
    const { epoch } = currentEpoch(this.#state);
    const block = encodeBlock({
      ...this.#last,
      transactions: this.#transactions,
      segmentBytes: this.#segmentBytes,
      counts: this.#counts,
      records: this.#records.view(),
    });
    let changes = 0;
    for (const [version, count] of this.#counts.entries()) {
      const value = Buffer.allocUnsafe(4);
      value.writeUInt32BE(count, 0);
      this.watch(4, this.store.index.put(indexKey(version, epoch, this.#blockLsn), value));
      changes += count;
    }
    this.watch(block.length, this.store.blocks.put(blockKey(epoch, this.#blockLsn), block));
    for (const frames of this.#closing) {
      frames.closeSegment();
      this.#release(frames);
    }
    this.#state = {
      ...this.#state,
      bytes: this.#state.bytes + block.length + this.#segmentBytes,
      changes: this.#state.changes + changes,
    };
    this.#closing = [];
    this.#records.clear();
    this.#counts = new VersionCounts();
    this.#transactions = 0;
    this.#segmentBytes = 0;
    this.#putState();
  }

  #putState(): void {
    const { epoch } = currentEpoch(this.#state);
    const state = encodeState(this.#state);
    this.watch(state.length, this.store.meta.put(stateKey, state));
    const tail = encodeTail({ ...this.#last, epoch, endLsn: this.#state.endLsn });
    this.watch(tail.length, this.store.meta.put(tailKey, tail));
    this.#isDirty = false;
  }
}

/** What a log begins with. */
export type NewLog = Pick<LogState, 'source' | 'timeline' | 'term'> & {
  readonly epoch: number;
  readonly startLsn: bigint;
};

function newState(first: NewLog): LogState {
  const { source, timeline, term, startLsn, epoch } = first;
  return {
    source,
    timeline,
    term,
    epochs: [{ epoch, startLsn, endLsn: undefined }],
    endLsn: startLsn,
    trimmed: undefined,
    nextVersion: 1,
    nextSegment: 1n,
    bytes: 0,
    changes: 0,
  };
}
