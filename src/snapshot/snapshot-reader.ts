import type { WalSamples } from '../contracts/wal-samples.ts';
import {
  snapshotOfOtherEpoch,
  snapshotTableGone,
  snapshotWithoutKey,
  snapshotWithoutPosition,
} from '../core/errors/snapshot.ts';
import type { TextRow, TextSession } from '../postgres/text-session.ts';
import {
  endReading,
  fetchBatches,
  findUpperKey,
  type OpenSnapshot,
  openChunk,
} from './chunk-transaction.ts';
import { beginFitting } from './fitting-snapshot.ts';
import { snapshotFailure } from './snapshot-failure.ts';
import type { KeyRange } from './snapshot-key.ts';
import {
  chunkRowsOf,
  isRead,
  nextChunkRows,
  type SnapshotChunk,
  type SnapshotPredicate,
  type SnapshotProgress,
  type SnapshotState,
  snapshotProgress,
} from './snapshot-state.ts';
import { displayName, readSnapshotTable, type SnapshotTable } from './snapshot-table.ts';
import { SnapshotVisibility } from './snapshot-visibility.ts';

/**
 * Where to read from. The rights are those of the sessions: the predicate and whatever functions it
 * calls run with all that their login role may, and SET ROLE does not take that away from them.
 */
export type SnapshotSource = {
  /** A session to the primary that nobody else uses; it is closed afterwards. */
  connect(): Promise<TextSession>;
  /** Of the change log that is applied to the rows, or that log itself. */
  readonly samples: WalSamples;
  /** When it aborts, what is being read rejects at once. */
  readonly signal?: AbortSignal | undefined;
};

export type SnapshotRequest = {
  /** A table, or the root of a partitioned one. */
  readonly tableOid: number;
  readonly columns: 'all' | readonly string[];
  readonly where: SnapshotPredicate | null;
  /** `auto`: in chunks where there is a key. */
  readonly mode: 'auto' | 'chunks' | 'one-transaction';
  readonly chunkRows?: number | undefined;
};

export type SnapshotEvent =
  /** A chunk will be read. Only who hands rows to where they cannot be taken back stores this. */
  | { readonly kind: 'begun'; readonly state: SnapshotState }
  /** In the order of the columns of `state.table.columns`. */
  | { readonly kind: 'rows'; readonly rows: readonly TextRow[] }
  /** The chunk is complete. To be stored before going on. */
  | { readonly kind: 'read'; readonly state: SnapshotState; readonly progress: SnapshotProgress };

/** Looks at the table and makes the state a snapshot begins with. Reads no rows. */
export async function planSnapshot(
  source: SnapshotSource,
  request: SnapshotRequest,
): Promise<SnapshotState> {
  const name = `with oid ${request.tableOid}`;
  const opened = await open(source, name);
  try {
    const table = await readSnapshotTable(opened.session, request.tableOid, request.columns);
    if (table === undefined) throw snapshotTableGone(name);
    if (request.mode === 'chunks' && table.key === null) {
      throw snapshotWithoutKey(displayName(table), table.keyless ?? '');
    }
    return {
      version: 1,
      epoch: await epochNow(source),
      table,
      columns: request.columns,
      where: request.where,
      inChunks: table.key !== null && request.mode !== 'one-transaction',
      chunkRows: chunkRowsOf(request.chunkRows),
      start: null,
      endLsn: null,
      chunks: [],
      begun: null,
      points: [],
      rows: 0,
      passedRows: 0,
    };
  } catch (error) {
    throw snapshotFailure(name, error);
  } finally {
    await opened.close();
  }
}

/**
 * Reads what has not been read yet, chunk by chunk. Nothing is read ahead of what is asked for, and
 * a chunk's transaction stays open until its last rows are taken. Ends when all is read; throws a
 * PgError, of which `retryable` says whether calling again with the last stored state may help.
 */
export async function* readSnapshot(
  source: SnapshotSource,
  stored: SnapshotState,
): AsyncGenerator<SnapshotEvent, void, undefined> {
  if (isRead(stored)) return;
  const name = displayName(stored.table);
  const epoch = await epochNow(source);
  if (epoch !== stored.epoch) throw snapshotOfOtherEpoch(name, stored.epoch, epoch);
  const opened = await open(source, name);
  try {
    let state = stored;
    while (!isRead(state)) {
      const begun = await beginChunk(source, opened.session, state);
      yield { kind: 'begun', state: begun.state };
      let rows = 0;
      for await (const batch of fetchBatches(opened.session)) {
        rows += batch.length;
        yield { kind: 'rows', rows: batch };
      }
      await endReading(opened.session, true);
      state = endChunk(begun, rows);
      yield { kind: 'read', state, progress: snapshotProgress(state) };
    }
  } catch (error) {
    throw snapshotFailure(name, error);
  } finally {
    await opened.close();
  }
}

type BegunChunk = { readonly state: SnapshotState; readonly chunk: SnapshotChunk };

/** Opens the transaction and the cursor of the next chunk. */
async function beginChunk(
  source: SnapshotSource,
  session: TextSession,
  state: SnapshotState,
): Promise<BegunChunk> {
  const { table, open, answer } = await beginFitting(session, state, async (present) => {
    const range = await nextRange(session, state, present);
    await openChunk(session, { table: present, range, where: state.where });
    return range;
  });
  // What a first attempt handed over may be out already: its snapshot decides, not this later one.
  const chunk =
    state.begun === null
      ? { upTo: answer.upTo, snapshot: open.snapshot, reread: null }
      : { ...state.begun, reread: open.snapshot };
  return { chunk, state: await started(source, { ...state, table, begun: chunk }, open) };
}

/** A chunk that was begun has its end already. */
async function nextRange(
  session: TextSession,
  state: SnapshotState,
  table: SnapshotTable,
): Promise<KeyRange> {
  const after = state.chunks.at(-1)?.upTo ?? null;
  if (state.begun !== null) return { after, upTo: state.begun.upTo };
  if (!state.inChunks) return { after, upTo: null };
  const upTo = await findUpperKey(session, table, after, nextChunkRows(state));
  return { after, upTo: upTo ?? null };
}

async function epochNow({ samples }: SnapshotSource): Promise<number> {
  const { epoch } = await samples.walSample(0n);
  return epoch;
}

/** With the position the log is applied from, which the first snapshot of all decides. */
async function started(
  source: SnapshotSource,
  state: SnapshotState,
  open: OpenSnapshot,
): Promise<SnapshotState> {
  const endLsn = String(open.endLsn);
  if (state.start !== null) return { ...state, endLsn };
  const { xmin } = SnapshotVisibility.parse(open.snapshot);
  const { epoch, sample } = await source.samples.walSample(xmin);
  if (epoch !== state.epoch) {
    throw snapshotOfOtherEpoch(displayName(state.table), state.epoch, epoch);
  }
  if (sample === undefined) throw snapshotWithoutPosition(xmin);
  return {
    ...state,
    endLsn,
    start: { lsn: String(sample.lsn), nextXid: String(sample.nextXid) },
  };
}

function endChunk({ state, chunk }: BegunChunk, rows: number): SnapshotState {
  return {
    ...state,
    begun: null,
    chunks: [...state.chunks, chunk],
    rows: state.rows + rows,
    // The last chunk has as many as there were, which with a predicate nobody counted.
    passedRows: state.passedRows + (chunk.upTo === null ? rows : nextChunkRows(state)),
  };
}

type OpenedSession = { readonly session: TextSession; close(): Promise<void> };

async function open(source: SnapshotSource, name: string): Promise<OpenedSession> {
  source.signal?.throwIfAborted();
  const session = await source.connect().catch((error: unknown): never => {
    throw snapshotFailure(name, error);
  });
  // Ending a session makes what it waits for reject.
  const abort = (): void => void session.close();
  source.signal?.addEventListener('abort', abort, { once: true });
  return {
    session,
    close() {
      source.signal?.removeEventListener('abort', abort);
      return session.close();
    },
  };
}
