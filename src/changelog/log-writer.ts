import type { WalSample } from '../contracts/wal-samples.ts';
import { logAtItsCap, logNotWritten } from '../core/errors/change-log.ts';
import { failpoint } from '../core/failpoint.ts';
import { type CommittedTransaction, encodeBlock, recordBytes, writeRecord } from './block.ts';
import { BufferPool } from './buffer-pool.ts';
import {
  blockKey,
  decodeTail,
  encodeTail,
  exclusionsKey,
  indexKey,
  samplesKey,
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
  valueBytes,
} from './limits.ts';
import { asLogError } from './lmdb-error.ts';
import {
  currentEpoch,
  decodeState,
  encodeState,
  type LogSource,
  type LogState,
  type NewLog,
  newState,
  withEndLsn,
} from './log-state.ts';
import {
  closeLogStore,
  fileBytes,
  isFileSystemFull,
  type LogStore,
  openLogStore,
} from './log-store.ts';
import { surviving } from './opening-marker.ts';
import { removeSegment } from './remove-segment.ts';
import { type Retention, trimOldest } from './retention.ts';
import { decodeExclusions, encodeExclusions, type StoredExclusions } from './stored-exclusions.ts';
import { decodeSamples, encodeSamples, samplesIn } from './stored-samples.ts';
import { encodeShape, type TableShape } from './table-versions.ts';
import { TransactionFrames } from './transaction-frames.ts';
import type { WriteQueue } from './write-queue.ts';

/**
 * The one writer of a change log. Transactions are appended in commit order, gathered into blocks
 * and written with `flush`; what is written is visible to readers at once and survives this
 * process, `durable` says what survives the machine. After a failed write nothing more is written:
 * the log is closed and opened anew.
 *
 * The state of a log says what it holds, so it is written in the same transaction as what it speaks
 * of, and only when everything written before is known to have arrived: were a write that failed
 * followed by one that did not, the state would speak of what is not there.
 */
export class LogWriter implements WriteQueue {
  readonly store: LogStore;
  readonly buffers: BufferPool = new BufferPool(valueBytes, unwrittenBytesMax / valueBytes);
  readonly #directory: string;
  #state: LogState;
  readonly #versions: Map<string, number> = new Map();
  readonly #records: GrowingBytes = new GrowingBytes(chunkBytesMax);
  #counts: VersionCounts = new VersionCounts();
  #transactions = 0;
  #blockLsn = 0n;
  #segmentBytes = 0;
  #closing: TransactionFrames[] = [];
  /** Finished blocks that are not written yet. */
  #sealed: SealedBlock[] = [];
  readonly #idle: TransactionFrames[] = [];
  #last: LastTransaction = { lastCommitLsn: 0n, lastChanges: 0 };
  /** Up to where the blocks in the log go; the state on disk never says more. */
  #written: WrittenEnd;
  /** Writes of the state, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #isFlushQueued = false;
  #unwrittenBytes = 0;
  #appended = 0;
  #isDirty = false;
  #unwrittenSamples: Buffer | undefined;
  /** Of what is appended from now on; empty where a log begins anew. */
  #exclusions: Buffer | undefined;
  #failure: unknown;
  /** Rejects with the first failure. */
  readonly #failed: Promise<never>;
  #fail: (failure: unknown) => void = () => undefined;
  #visibleLsn = 0n;
  #durableLsn = 0n;

  private constructor(directory: string, store: LogStore, state: LogState) {
    this.#directory = directory;
    this.store = store;
    this.#state = state;
    this.#exclusions = store.meta.get(exclusionsKey);
    this.#written = { endLsn: state.endLsn, last: this.#last, exclusions: this.#exclusions };
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
  }

  /** Opens a log; `first` is what a new one begins with. @throws PgError 58030, XX001, 0A000 */
  static open(directory: string, first: NewLog): Promise<LogWriter> {
    return surviving(directory, () => LogWriter.#open(directory, first));
  }

  static async #open(directory: string, first: NewLog): Promise<LogWriter> {
    const store = openLogStore(directory);
    try {
      const stored = store.meta.get(stateKey);
      const state = stored === undefined ? newState(first) : decodeState(stored);
      const writer = new LogWriter(directory, store, state);
      writer.#load();
      await writer.#discardOpen();
      return writer;
    } catch (error) {
      await closeLogStore(store);
      throw asLogError(error);
    }
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

  /** All WAL before it is in the log for readers to see. */
  get visibleLsn(): bigint {
    return this.#visibleLsn;
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
   * LSNs grow from call to call. Undefined when that is done, else a promise of it: small
   * transactions cost less than a promise for each.
   */
  append(
    frames: TransactionFrames,
    commit: Pick<
      CommittedTransaction,
      'commitLsn' | 'endLsn' | 'committedAt' | 'xid' | 'hasSubxids'
    >,
  ): Promise<void> | undefined {
    // After a reconnect the server may send once more what is here already.
    if (commit.commitLsn <= this.#last.lastCommitLsn) return this.#leaveOut(frames, commit.endLsn);
    const finishing = frames.finish();
    if (finishing !== undefined) return finishing.then(() => this.#append(frames, commit));
    return this.#append(frames, commit);
  }

  async #leaveOut(frames: TransactionFrames, endLsn: bigint): Promise<void> {
    await this.discard(frames);
    this.advance(endLsn);
  }

  #append(
    frames: TransactionFrames,
    commit: Parameters<LogWriter['append']>[1],
  ): Promise<void> | undefined {
    if (frames.changes === 0) return this.#leaveOut(frames, commit.endLsn);
    // Named one by one: a spread costs a microsecond.
    const transaction = {
      commitLsn: commit.commitLsn,
      endLsn: commit.endLsn,
      committedAt: commit.committedAt,
      xid: commit.xid,
      changes: frames.changes,
      hasSubxids: commit.hasSubxids,
    };
    const place =
      frames.segment === undefined
        ? ({ kind: 'inline', frames: frames.pending } as const)
        : ({ kind: 'segment', ...frames.segment } as const);
    const bytes = recordBytes(place);
    if (this.#records.length > 0 && this.#records.length + bytes > chunkBytesMax) this.#sealBlock();
    if (this.#transactions === 0) this.#blockLsn = commit.commitLsn;
    const at = this.#records.reserve(bytes);
    writeRecord(this.#records, at, transaction, place);
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
    return undefined;
  }

  /** There is nothing more to capture before this LSN. */
  advance(lsn: bigint): void {
    if (lsn <= this.#state.endLsn) return;
    this.#state = withEndLsn(this.#state, lsn);
    this.#isDirty = true;
  }

  /** The last transaction of the epoch; LSN 0 when there is none. */
  get last(): LastTransaction {
    return this.#last;
  }

  /** Whether `flush` would write a change. */
  get hasUnflushed(): boolean {
    return this.#transactions > 0 || this.#sealed.length > 0;
  }

  /**
   * Makes everything appended visible to readers; resolves when it is.
   *
   * @throws PgError 53100, 58030
   */
  flush(): Promise<void> {
    if (this.#isFlushQueued || !(this.#isDirty || this.hasUnflushed)) return this.#turn;
    this.#isFlushQueued = true;
    let visibleLsn = 0n;
    const flushed = this.#inTurn(() => {
      this.#isFlushQueued = false;
      this.#sealBlock();
      const blocks = this.#sealed;
      const end = {
        endLsn: this.#state.endLsn,
        last: this.#last,
        exclusions: this.#exclusions,
      };
      this.#sealed = [];
      this.#isDirty = false;
      visibleLsn = end.endLsn;
      return () => this.#putBlocks(blocks, end);
    });
    return flushed.then(() => {
      this.#visibleLsn = visibleLsn;
    });
  }

  /** Resolves when everything appended so far is on the disk. @throws PgError 53100, 58030 */
  async sync(): Promise<void> {
    const { endLsn } = this.#state;
    await this.flush();
    await Promise.race([this.store.root.flushed, this.#failed]);
    if (endLsn > this.#durableLsn) this.#durableLsn = endLsn;
  }

  /** Everything put so far has arrived. @throws PgError 53100, 58030 */
  async committed(): Promise<void> {
    const arrived = Promise.resolve(this.store.root.committed).catch((error) => this.#note(error));
    await Promise.race([arrived, this.#failed]);
    // What was put may have failed a moment before whoever watches it hears of it.
    await Promise.resolve();
    if (this.#failure !== undefined) await this.#failed;
  }

  /** From here on LSNs mean something else, or changes are missing: a gap every reader sees. */
  beginEpoch({ epoch, startLsn, timeline, term }: Omit<NewLog, 'source'>): void {
    this.#sealBlock();
    const ended = currentEpoch(this.#state);
    const epochs = [
      ...this.#state.epochs.slice(0, -1),
      { ...ended, endLsn: this.#state.endLsn },
      { epoch, startLsn, endLsn: undefined },
    ];
    this.#state = { ...this.#state, epochs, endLsn: startLsn, timeline, term };
    this.#beginAnew();
  }

  #beginAnew(): void {
    this.#durableLsn = 0n;
    this.#last = { lastCommitLsn: 0n, lastChanges: 0 };
    this.#exclusions = Buffer.alloc(0);
    this.#isDirty = true;
  }

  /** Another owner goes on with it, maybe on another timeline with the same history up to here. */
  goOn(by: Pick<LogState, 'term' | 'timeline' | 'beat'>): void {
    this.#state = { ...this.#state, ...by };
    this.#isDirty = true;
  }

  /** The catalog has this beat for good; later ones are larger. */
  noteBeat(beat: number): void {
    this.#state = { ...this.#state, beat };
    this.#isDirty = true;
  }

  /** What was sampled of the WAL in this epoch; written with the next flush. */
  noteSamples(samples: readonly WalSample[]): void {
    const { epoch } = currentEpoch(this.#state);
    this.#unwrittenSamples = encodeSamples({ epoch, timeline: this.#state.timeline, samples });
    this.#isDirty = true;
  }

  /**
   * What is kept out of everything that is appended from now on. It is written with that, never
   * before or behind it.
   */
  noteExclusions(exclusions: StoredExclusions): void {
    this.#exclusions = encodeExclusions(exclusions);
    this.#isDirty = true;
  }

  /** Undefined where the log has just begun: what was kept out of what it held before is the past. */
  storedExclusions(): StoredExclusions | undefined {
    const bytes = this.#exclusions;
    return bytes === undefined || bytes.length === 0 ? undefined : decodeExclusions(bytes);
  }

  /** What an earlier owner sampled, as far as that can still be used. */
  storedSamples(): readonly WalSample[] {
    const bytes = this.store.meta.get(samplesKey);
    return bytes === undefined ? [] : samplesIn(this.#state, decodeSamples(bytes));
  }

  /**
   * Another node has captured what is between the end of this log and `startLsn`, in the same
   * epoch: this one begins there, and does not pretend to have what is before. Until that is done
   * the log stays marked as the one of an earlier owner.
   */
  async restart(
    startLsn: bigint,
    { term, timeline }: Pick<NewLog, 'term' | 'timeline'>,
  ): Promise<void> {
    await this.#trim({ bytesMax: -1, committedBefore: undefined, heldFrom: undefined });
    const epoch = currentEpoch(this.#state);
    this.#state = {
      ...this.#state,
      term,
      timeline,
      epochs: [epoch],
      trimmed: { epoch: epoch.epoch, lsn: startLsn - 1n, seq: 0 },
      endLsn: startLsn,
    };
    this.#beginAnew();
    await this.sync();
  }

  /** Removes the oldest blocks that retention does not want. @throws PgError 53100 at the cap */
  async trim(retention: Retention): Promise<void> {
    await this.#trim(retention);
    const max = heldBytesFactor * retention.bytesMax + fileSlackBytes;
    const bytes = fileBytes(this.store);
    if (bytes > max && this.#state.bytes > retention.bytesMax) {
      throw logAtItsCap(this.#directory, bytes, max);
    }
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined);
    // After a failed write LMDB would wait for ever; the process ends then.
    if (this.#failure === undefined) await closeLogStore(this.store);
  }

  /** After a crash the next number is found behind those in use. */
  newSegment(): bigint {
    const segment = this.#state.nextSegment;
    this.#state = { ...this.#state, nextSegment: segment + 1n };
    return segment;
  }

  watch(bytes: number, written: Promise<unknown>, value?: Buffer): void {
    this.#unwrittenBytes += bytes;
    written.then(
      () => {
        this.#unwrittenBytes -= bytes;
        if (value !== undefined) this.buffers.giveBack(value);
      },
      (error: unknown) => {
        this.#unwrittenBytes -= bytes;
        this.#note(error);
      },
    );
  }

  #note(failure: unknown): void {
    // LMDB tells the reason later, and apart from the failure: of each, also when nobody asks.
    const { commitError } = failure as { readonly commitError?: Promise<unknown> };
    commitError?.catch(() => undefined);
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    const found = (cause: unknown): void => {
      const isFull = isFileSystemFull(this.#directory);
      this.#fail(logNotWritten(this.#directory, cause, isFull));
    };
    if (commitError === undefined) found(failure);
    else commitError.then(() => found(failure), found);
  }

  #trim(retention: Retention): Promise<void> {
    const log = {
      state: () => this.#state,
      write: (state: () => LogState, put: () => void): Promise<void> =>
        this.#inTurn(() => () => {
          put();
          this.#state = state();
          this.#putState();
        }),
    };
    return trimOldest(this, log, retention);
  }

  /**
   * `prepare` says what is to be written, when everything before has been; `put`, which it answers,
   * writes it when all that it refers to has arrived too.
   */
  #inTurn(prepare: () => () => void): Promise<void> {
    const turn = this.#turn.then(async () => {
      const put = prepare();
      await this.committed();
      put();
      failpoint('capture.block');
      await this.committed();
      failpoint('capture.written');
    });
    this.#turn = turn;
    turn.catch(() => undefined);
    return turn;
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
    this.#written = { ...this.#written, endLsn: this.#state.endLsn, last: this.#last };
    let { nextVersion, nextSegment } = this.#state;
    for (const { key, value } of this.store.versions.getRange({})) {
      const version = key.readUInt32BE(0);
      this.#versions.set(value.toString('latin1'), version);
      // Numbers that were given since the state was written last are not given again.
      nextVersion = Math.max(nextVersion, version + 1);
    }
    for (const numbered of [this.store.open, this.store.segments]) {
      for (const key of numbered.getKeys({ reverse: true, limit: 1 })) {
        const segment = key.readBigUInt64BE(0);
        if (segment >= nextSegment) nextSegment = segment + 1n;
      }
    }
    this.#state = { ...this.#state, nextVersion, nextSegment };
  }

  #sealBlock(): void {
    if (this.#transactions === 0) return;
    const { epoch } = currentEpoch(this.#state);
    const bytes = encodeBlock({
      ...this.#last,
      transactions: this.#transactions,
      segmentBytes: this.#segmentBytes,
      counts: this.#counts,
      records: this.#records.view(),
      buffers: this.buffers,
    });
    this.#unwrittenBytes += bytes.length;
    this.#sealed.push({
      epoch,
      lsn: this.#blockLsn,
      bytes,
      counts: this.#counts,
      segmentBytes: this.#segmentBytes,
      closing: this.#closing,
    });
    this.#closing = [];
    this.#records.clear();
    this.#counts = new VersionCounts();
    this.#transactions = 0;
    this.#segmentBytes = 0;
  }

  #putBlocks(blocks: readonly SealedBlock[], end: WrittenEnd): void {
    let { bytes, changes } = this.#state;
    for (const block of blocks) {
      this.#unwrittenBytes -= block.bytes.length;
      changes += this.#putBlock(block);
      bytes += block.bytes.length + block.segmentBytes;
    }
    this.#state = { ...this.#state, bytes, changes };
    const { exclusions } = end;
    if (exclusions !== undefined && exclusions !== this.#written.exclusions) {
      this.watch(exclusions.length, this.store.meta.put(exclusionsKey, exclusions));
    }
    this.#written = end;
    this.#putState();
  }

  #putBlock({ epoch, lsn, bytes, counts, closing }: SealedBlock): number {
    let changes = 0;
    for (const [version, count] of counts.entries()) {
      const value = Buffer.allocUnsafe(4);
      value.writeUInt32BE(count, 0);
      this.watch(4, this.store.index.put(indexKey(version, epoch, lsn), value));
      changes += count;
    }
    this.watch(bytes.length, this.store.blocks.put(blockKey(epoch, lsn), bytes), bytes);
    for (const frames of closing) {
      frames.closeSegment();
      this.#release(frames);
    }
    return changes;
  }

  #putState(): void {
    const { epoch } = currentEpoch(this.#state);
    const { endLsn, last } = this.#written;
    const state = encodeState({ ...this.#state, endLsn });
    this.watch(state.length, this.store.meta.put(stateKey, state));
    const tail = encodeTail({ ...last, epoch, endLsn });
    this.watch(tail.length, this.store.meta.put(tailKey, tail));
    const samples = this.#unwrittenSamples;
    if (samples === undefined) return;
    this.#unwrittenSamples = undefined;
    this.watch(samples.length, this.store.meta.put(samplesKey, samples));
  }
}

type LastTransaction = Pick<Tail, 'lastCommitLsn' | 'lastChanges'>;

type WrittenEnd = {
  readonly endLsn: bigint;
  readonly last: LastTransaction;
  readonly exclusions: Buffer | undefined;
};

/** A block that is ready to be written. */
type SealedBlock = {
  readonly epoch: number;
  /** Of the commit of its first transaction. */
  readonly lsn: bigint;
  readonly bytes: Buffer;
  readonly counts: VersionCounts;
  readonly segmentBytes: number;
  /** Transactions whose segments it refers to. */
  readonly closing: readonly TransactionFrames[];
};
