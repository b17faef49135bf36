import type { Change, ChangePosition, TableVersion } from '../contracts/change.ts';
import { comparePositions } from '../contracts/change.ts';
import type {
  ChangeBatch,
  LogBounds,
  LogReader,
  ReadBackward,
  ReadForward,
} from '../contracts/log-reader.ts';
import { sampleAtOrBefore, type WalSampleAnswer } from '../contracts/wal-samples.ts';
import { epochNotInLog, noLog, positionBeforeLog } from '../core/errors/change-log.ts';
import { decodeBlockHeader, decodeRecords, openBlock, type TransactionRecord } from './block.ts';
import { BlockSearch, countChanges, type FoundBlock } from './block-search.ts';
import { samplesKey, schemaVersionId, stateKey } from './format.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { readBytesMax } from './limits.ts';
import { asLogError } from './lmdb-error.ts';
import { currentEpoch, decodeState, type LogState } from './log-state.ts';
import { closeLogStore, fileIdentity, type LogStore, openLogForReading } from './log-store.ts';
import { LogTail } from './log-tail.ts';
import { refuseFatal } from './opening-marker.ts';
import { decodeSamples, samplesIn } from './stored-samples.ts';
import { TableVersions } from './table-versions.ts';
import { runsBackward, runsForward } from './transaction-reader.ts';

/** Reads the log that a process of this machine writes, also while that process is down. */
export class LocalLogReader implements LogReader {
  readonly #directory: string;
  readonly #database: string;
  readonly #tail: LogTail = new LogTail(() => this.#storeIfThere());
  #opened: LogStore | undefined;
  #versions: TableVersions | undefined;
  #identity: string | undefined;
  #isClosed = false;

  constructor(log: { readonly directory: string; readonly database: string }) {
    this.#directory = log.directory;
    this.#database = log.database;
  }

  bounds(): Promise<LogBounds> {
    return checked(() => this.#bounds());
  }

  tables(): Promise<readonly TableVersion[]> {
    return checked(() => {
      this.#store();
      return this.#versions?.all() ?? [];
    });
  }

  count(versions: ReadonlySet<number>, epoch?: number): Promise<number> {
    return checked(() => countChanges(this.#store(), versions, epoch));
  }

  read(request: ReadForward): Promise<ChangeBatch> {
    return checked(() => this.#read(request));
  }

  readBackward(request: ReadBackward): ReturnType<LogReader['readBackward']> {
    return checked(() => this.#readBackward(request));
  }

  walSample(xmin: bigint): Promise<WalSampleAnswer> {
    return checked(() => {
      const state = this.#state();
      const bytes = this.#store().meta.get(samplesKey);
      const samples = bytes === undefined ? [] : samplesIn(state, decodeSamples(bytes));
      return { epoch: currentEpoch(state).epoch, sample: sampleAtOrBefore(samples, xmin) };
    });
  }

  #bounds(): LogBounds {
    const state = this.#state();
    const [first] = state.epochs;
    const { epoch } = currentEpoch(state);
    const { trimmed } = state;
    const isTrimmed = trimmed !== undefined && trimmed.epoch === first?.epoch;
    return {
      epoch,
      // JSON has no undefined.
      epochs: state.epochs.map(({ endLsn, ...begun }) => ({ ...begun, endLsn })),
      startLsn: isTrimmed ? trimmed.lsn + 1n : (first?.startLsn ?? 0n),
      endLsn: state.endLsn,
    };
  }

  #read(request: ReadForward): ChangeBatch {
    const store = this.#store();
    const state = this.#state();
    const after = startOf(request, state);
    const versions = wantedVersions(request);
    const decoder = new FrameDecoder(this.#versions!, versions, request.schemaChanges);
    // Before the search: what comes in meanwhile is for the next call.
    const logEnd = this.#endPosition(after);
    const changes: Change[] = [];
    let through = after;
    let bytes = 0;
    for (const block of new BlockSearch(store, versions).forward(after)) {
      bytes += block.value.length;
      const opened = openBlock(block.value);
      for (const record of decodeRecords(opened, decodeBlockHeader(opened))) {
        const end = { epoch: block.epoch, lsn: record.commitLsn, seq: record.changes - 1 };
        if (comparePositions(end, after) <= 0) continue;
        const fromSeq =
          record.commitLsn === after.lsn && block.epoch === after.epoch ? after.seq + 1 : 0;
        for (const run of runsForward(store, record, { fromSeq, versions })) {
          bytes += record.place.kind === 'inline' ? 0 : run.frames.length;
          const wanted = { fromSeq, changesMax: request.changesMax - changes.length };
          const found = decoder.forward(run, { epoch: block.epoch, record }, wanted);
          changes.push(...found);
          const last = changes.at(-1);
          if (last !== undefined && changes.length >= request.changesMax) {
            return { changes, through: last.position, isAtEnd: false };
          }
          through = { ...end, seq: run.firstSeq + run.changes - 1 };
          if (bytes > readBytesMax) return { changes, through, isAtEnd: false };
        }
        through = end;
      }
    }
    // What the search left out holds nothing wanted, so the end of the log is reached.
    const isBehind = comparePositions(logEnd, through) > 0;
    return { changes, through: isBehind ? logEnd : through, isAtEnd: true };
  }

  #readBackward(request: ReadBackward): Awaited<ReturnType<LogReader['readBackward']>> {
    const store = this.#store();
    const versions = wantedVersions(request);
    const decoder = new FrameDecoder(this.#versions!, versions, request.schemaChanges);
    const reversed: Change[] = [];
    let before = request.before;
    let bytes = 0;
    for (const block of new BlockSearch(store, versions).backward(before)) {
      bytes += block.value.length;
      for (const record of recordsReversed(block)) {
        const beforeSeq = seqBefore(before, block.epoch, record);
        if (beforeSeq <= 0) continue;
        for (const run of runsBackward(store, record, { beforeSeq, versions })) {
          bytes += record.place.kind === 'inline' ? 0 : run.frames.length;
          const found = decoder.backward(run, { epoch: block.epoch, record }, beforeSeq);
          const missing = request.changesMax - reversed.length;
          reversed.push(...found.slice(0, missing));
          before = { epoch: block.epoch, lsn: record.commitLsn, seq: run.firstSeq };
          const last = reversed.at(-1);
          if (last !== undefined && reversed.length >= request.changesMax) {
            return { changes: reversed.reverse(), before: last.position, isAtStart: false };
          }
          if (bytes > readBytesMax) {
            return { changes: reversed.reverse(), before, isAtStart: false };
          }
        }
      }
    }
    const first = before ?? { epoch: 0, lsn: 0n, seq: 0 };
    return { changes: reversed.reverse(), before: first, isAtStart: true };
  }

  changed(beyond: ChangePosition, signal: AbortSignal): Promise<void> {
    return this.#tail.changed(beyond, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tail.close();
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined) await closeLogStore(opened);
  }

  #store(): LogStore {
    const store = this.#storeIfThere();
    if (store === undefined) throw noLog(this.#database);
    return store;
  }

  #storeIfThere(): LogStore | undefined {
    const identity = fileIdentity(this.#directory);
    if (this.#opened !== undefined && identity !== this.#identity) {
      // Moved away or removed: what is there now, if anything, is another log.
      void closeLogStore(this.#opened);
      this.#opened = undefined;
      this.#versions = undefined;
    }
    if (this.#opened === undefined && !this.#isClosed) {
      this.#identity = identity;
      refuseFatal(this.#directory);
      this.#opened = openLogForReading(this.#directory);
      if (this.#opened !== undefined) this.#versions = new TableVersions(this.#opened);
    }
    // A snapshot is kept until the next turn of the event loop; what was written since counts.
    this.#opened?.root.resetReadTxn();
    return this.#opened;
  }

  #state(): LogState {
    const bytes = this.#store().meta.get(stateKey);
    if (bytes === undefined) throw noLog(this.#database);
    return decodeState(bytes);
  }

  #endPosition(fallback: ChangePosition): ChangePosition {
    const tail = this.#tail.read();
    if (tail === undefined) return fallback;
    if (tail.lastCommitLsn === 0n) return this.#startOfEpoch(tail.epoch) ?? fallback;
    return { epoch: tail.epoch, lsn: tail.lastCommitLsn, seq: tail.lastChanges - 1 };
  }

  /** Before its first change: whoever has read all before it goes on there and waits behind it. */
  #startOfEpoch(epoch: number): ChangePosition | undefined {
    const begun = this.#state().epochs.find((each) => each.epoch === epoch);
    return begun && { epoch, lsn: begun.startLsn, seq: -1 };
  }
}

/** Reading takes one turn of the event loop; what LMDB finds damaged is told as damage. */
async function checked<T>(read: () => T): Promise<T> {
  try {
    return read();
  } catch (error) {
    throw asLogError(error);
  }
}

function wantedVersions(request: ReadForward | ReadBackward): ReadonlySet<number> | 'all' {
  if (request.tables === 'all') return 'all';
  if (!request.schemaChanges) return request.tables;
  return new Set([...request.tables, schemaVersionId]);
}

/** The position behind which to read. @throws PgError 22023 when what follows is not all there */
function startOf({ from }: ReadForward, state: LogState): ChangePosition {
  const [first] = state.epochs;
  const { trimmed } = state;
  const start = trimmed ?? { epoch: first?.epoch ?? 0, lsn: first?.startLsn ?? 0n, seq: -1 };
  if (from.kind === 'start') return start;
  const asked =
    from.kind === 'after' ? from.position : { epoch: from.epoch, lsn: from.lsn, seq: -1 };
  if (!state.epochs.some(({ epoch }) => epoch === asked.epoch)) {
    throw epochNotInLog(
      asked.epoch,
      state.epochs.map(({ epoch }) => epoch),
    );
  }
  if (comparePositions(asked, start) < 0 && asked.epoch === start.epoch) {
    throw positionBeforeLog(asked.lsn, start.seq < 0 ? start.lsn : start.lsn + 1n, start.epoch);
  }
  const own = state.epochs.find(({ epoch }) => epoch === asked.epoch);
  if (own !== undefined && asked.lsn < own.startLsn) {
    throw positionBeforeLog(asked.lsn, own.startLsn, own.epoch);
  }
  return asked;
}

function recordsReversed(block: FoundBlock): readonly TransactionRecord[] {
  const opened = openBlock(block.value);
  return [...decodeRecords(opened, decodeBlockHeader(opened))].reverse();
}

/** How many changes of a transaction lie before a position. */
function seqBefore(
  before: ChangePosition | undefined,
  epoch: number,
  record: TransactionRecord,
): number {
  if (before === undefined || epoch < before.epoch) return record.changes;
  if (epoch > before.epoch) return 0;
  if (record.commitLsn !== before.lsn) return record.commitLsn < before.lsn ? record.changes : 0;
  return before.seq;
}
