import { logDamaged, logOfLaterFormat } from '../core/errors/change-log.ts';
import { parseLsn, printLsn } from '../core/lsn.ts';
import { checksumBytes, seal, unseal } from './checked-bytes.ts';
import { formatVersion } from './format.ts';

/** Which database a log is of: one with another source is never written to. */
export type LogSource = {
  readonly systemId: string;
  readonly databaseOid: number;
  readonly database: string;
};

export type EpochState = {
  readonly epoch: number;
  readonly startLsn: bigint;
  /** Of an epoch that has ended. */
  readonly endLsn: bigint | undefined;
};

/** What is known of a log as a whole; written in one transaction with what it describes. */
export type LogState = {
  readonly source: LogSource;
  /** Of the server when it was written last: a new one may have another history. */
  readonly timeline: number;
  /** Of the owner that wrote it last. */
  readonly term: number;
  /** The last beat of the catalog; one that has not reached it was restored from before. */
  readonly beat: number;
  /** Oldest first; the last one is being written. */
  readonly epochs: readonly EpochState[];
  /** All WAL before it is in the log, as far as it is captured. */
  readonly endLsn: bigint;
  /** The last change that retention removed. */
  readonly trimmed:
    | { readonly epoch: number; readonly lsn: bigint; readonly seq: number }
    | undefined;
  readonly nextVersion: number;
  readonly nextSegment: bigint;
  /** Bytes of blocks and of segments of committed transactions. */
  readonly bytes: number;
  readonly changes: number;
};

export function encodeState(state: LogState): Buffer {
  const text = JSON.stringify({ format: formatVersion, ...state }, (_key, value: unknown) =>
    typeof value === 'bigint' ? printLsn(value) : value,
  );
  const bytes = Buffer.from(text);
  return seal(Buffer.concat([bytes, Buffer.alloc(checksumBytes)]));
}

/** @throws PgError XX001 when it is damaged, 55000 when a later version of HeliosDB wrote it */
export function decodeState(sealed: Buffer): LogState {
  const bytes = unseal(sealed, 'Its state');
  try {
    const read = JSON.parse(bytes.toString('utf8'), (key, value: unknown) =>
      /lsn$|^nextSegment$/i.test(key) && typeof value === 'string' ? readLsn(value) : value,
    ) as LogState & { readonly format: number };
    const { format, ...state } = read;
    if (format > formatVersion) throw logOfLaterFormat(format, formatVersion);
    return { ...state, trimmed: read.trimmed };
  } catch (error) {
    if (error instanceof SyntaxError) throw logDamaged('Its state cannot be read.');
    throw error;
  }
}

function readLsn(text: string): bigint {
  const lsn = parseLsn(text);
  if (lsn === undefined) throw logDamaged(`Its state has no LSN where "${text}" stands.`);
  return lsn;
}

/** Once for each transaction: named one by one, the fields cost a tenth of what a spread costs. */
export function withEndLsn(state: LogState, endLsn: bigint): LogState {
  return {
    source: state.source,
    timeline: state.timeline,
    term: state.term,
    epochs: state.epochs,
    endLsn,
    trimmed: state.trimmed,
    beat: state.beat,
    nextVersion: state.nextVersion,
    nextSegment: state.nextSegment,
    bytes: state.bytes,
    changes: state.changes,
  };
}

/** The epoch that is being written. */
export function currentEpoch(state: LogState): EpochState {
  const last = state.epochs.at(-1);
  if (last === undefined) throw logDamaged('It has no epoch.');
  return last;
}

/** What a log begins with. */
export type NewLog = Pick<LogState, 'source' | 'timeline' | 'term'> & {
  readonly epoch: number;
  readonly startLsn: bigint;
};

export function newState(first: NewLog): LogState {
  const { source, timeline, term, startLsn, epoch } = first;
  return {
    source,
    timeline,
    term,
    epochs: [{ epoch, startLsn, endLsn: undefined }],
    endLsn: startLsn,
    trimmed: undefined,
    beat: 0,
    nextVersion: 1,
    nextSegment: 1n,
    bytes: 0,
    changes: 0,
  };
}
