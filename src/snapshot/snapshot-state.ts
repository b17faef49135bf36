import { snapshotStateInvalid } from '../core/errors/snapshot.ts';
import { snapshotChunkRows, snapshotChunksOfOneSizeMax } from '../core/limits.ts';
import type { KeyValue } from './snapshot-key.ts';
import type { SnapshotTable } from './snapshot-table.ts';

/** A predicate of the reader's owner, and where the names in it are looked up. */
export type SnapshotPredicate = { readonly sql: string; readonly searchPath: string };

/** A range of keys, from the upper end of the chunk before it, that was read in one snapshot. */
export type SnapshotChunk = {
  /** Its greatest key; null for the last chunk, which has no end. */
  readonly upTo: KeyValue | null;
  /** A `pg_snapshot` as text: its changes are those of the transactions not visible in it. */
  readonly snapshot: string;
  /** When it was read again after rows of a first attempt were out: the snapshot of that. */
  readonly reread: string | null;
};

/** A row that was read again by itself, in a later snapshot than its chunk. */
export type SnapshotPoint = { readonly key: KeyValue; readonly snapshot: string };

/** All there is to know about a snapshot of one table, as JSON that the caller stores. */
export type SnapshotState = {
  readonly version: 1;
  readonly epoch: number;
  readonly table: SnapshotTable;
  readonly columns: 'all' | readonly string[];
  readonly where: SnapshotPredicate | null;
  readonly inChunks: boolean;
  readonly chunkRows: number;
  /** From where the log is to be applied; null before the first chunk. LSN and xid as digits. */
  readonly start: { readonly lsn: string; readonly nextXid: string } | null;
  /** At or behind this LSN no transaction is visible in any of the snapshots. Digits. */
  readonly endLsn: string | null;
  readonly chunks: readonly SnapshotChunk[];
  /** The chunk that was being read, as its first attempt found it. */
  readonly begun: SnapshotChunk | null;
  readonly points: readonly SnapshotPoint[];
  /** Rows handed over, of the chunks that are read. */
  readonly rows: number;
  /** Rows of the table in the chunks that are read, those the predicate leaves out too. */
  readonly passedRows: number;
};

export type SnapshotProgress = {
  readonly rows: number;
  readonly passedRows: number;
  /** By the statistics of the table; undefined when it never was analysed. */
  readonly estimatedRows: number | undefined;
  readonly chunksRead: number;
  readonly chunksPlanned: number | undefined;
};

/** Whether every chunk has been read. */
export function isRead(state: SnapshotState): boolean {
  const last = state.chunks.at(-1);
  return last !== undefined && last.upTo === null;
}

/** How many rows the next chunk shall have. */
export function nextChunkRows({ chunkRows, chunks }: SnapshotState): number {
  return chunkRows * 2 ** Math.floor(chunks.length / snapshotChunksOfOneSizeMax);
}

export function chunkRowsOf(wanted: number | undefined): number {
  return Math.max(1, Math.floor(wanted ?? snapshotChunkRows));
}

export function snapshotProgress(state: SnapshotState): SnapshotProgress {
  const { rows, passedRows, chunks } = state;
  const estimatedRows = isRead(state) ? passedRows : (state.table.estimatedRows ?? undefined);
  const left = Math.max(1, Math.ceil(((estimatedRows ?? 0) - passedRows) / nextChunkRows(state)));
  const planned = state.inChunks ? chunks.length + left : 1;
  const chunksPlanned = isRead(state) ? chunks.length : planned;
  return {
    rows,
    passedRows,
    estimatedRows,
    chunksRead: chunks.length,
    chunksPlanned: estimatedRows === undefined && state.inChunks ? undefined : chunksPlanned,
  };
}

/** A state as it was stored. What is in it besides is trusted: nobody else writes it. */
export function restoreSnapshotState(stored: unknown): SnapshotState {
  const state = stored as Partial<SnapshotState> | null;
  if (typeof state !== 'object' || state === null || state.version !== 1) {
    throw snapshotStateInvalid('It was not written by this version.');
  }
  if (state.table === undefined || !Array.isArray(state.chunks)) {
    throw snapshotStateInvalid('It has no table or no chunks.');
  }
  return state as SnapshotState;
}
