import { printLsn } from '../lsn.ts';
import { PgError } from './pg-error.ts';

/** The server ended the stream, or the connection broke. */
export function slotStreamEnded(cause: unknown): PgError {
  return new PgError({
    code: '08006',
    message: 'replication stream ended',
    detail: cause instanceof Error ? `${cause.message}.` : 'The server closed the connection.',
    hint: 'It is connected again; nothing is lost.',
    retryable: true,
    cause,
  });
}

/** What came on a replication connection makes no sense. */
export function slotStreamBroken(reason: string): PgError {
  return new PgError({ code: '08P01', message: 'replication stream is damaged', detail: reason });
}

/** wal_level is not what logical decoding needs. */
export function walLevelNotLogical(found: string): PgError {
  return new PgError({
    code: '55000',
    message: 'change data capture needs wal_level = logical',
    detail: `The server has wal_level = ${found}.`,
    hint: 'ALTER SYSTEM SET wal_level = logical, then restart the server.',
  });
}

/** The database is a copy of the one that was captured. */
export function databaseNotAdopted(bound: string, found: string): PgError {
  return new PgError({
    code: '55000',
    message: 'this database is a copy of one that is captured',
    detail: `Its catalog belongs to ${bound}; this is ${found}.`,
    hint: 'CALL heliosdb.adopt() makes it a database of its own; until then nothing is captured or delivered from it.',
  });
}

/** Text in a database without an encoding cannot be told from bytes. */
export function encodingNotCapturable(encoding: string): PgError {
  return new PgError({
    code: '0A000',
    message: `a database with encoding ${encoding} cannot be captured`,
    detail: 'Its texts have no encoding that could be converted to UTF8.',
    hint: 'Restore it into a database with encoding UTF8.',
  });
}

/** Changes are missing, and nobody has said yet that it goes on without them. */
export function captureGap(gap: {
  readonly reason: string;
  readonly from: bigint;
  readonly to: bigint | undefined;
}): PgError {
  const to = gap.to === undefined ? 'the next slot' : printLsn(gap.to);
  return new PgError({
    code: '55000',
    message: 'changes are missing: capture stopped at a gap',
    detail: `${gap.reason} Missing is what was committed between ${printLsn(gap.from)} and ${to}.`,
    hint: 'ALTER CDC CAPTURE RESUME SKIP GAP goes on in a new epoch; readers are told of the gap.',
  });
}

/** Every slot the server has is in use. */
export function noSlotFree(cause: PgError): PgError {
  return new PgError({
    code: cause.code,
    message: 'the server has no replication slot free',
    detail: `${cause.message}.`,
    hint: 'Raise max_replication_slots and restart the server, or drop a slot nobody uses.',
    retryable: true,
    cause,
  });
}

/** Somebody else reads from our slot. */
export function slotTaken(slot: string, cause: PgError): PgError {
  return new PgError({
    code: '55006',
    message: `replication slot "${slot}" is in use`,
    detail: `${cause.message}.`,
    hint: 'Another program or a node that has not ended yet reads from it; it is tried again.',
    retryable: true,
    cause,
  });
}

/** The role of the upstream may not do something capture needs. */
export function capturePrivilegeMissing(cause: PgError): PgError {
  return new PgError({
    code: '42501',
    message: 'the role of --upstream may not capture changes',
    detail: `${cause.message}.`,
    hint: 'It needs REPLICATION, CREATE on the database, and to own the tables; a superuser captures all tables.',
    retryable: true,
    cause,
  });
}

/** Another node owns the capture by now. */
export function captureTakenOver(): PgError {
  return new PgError({
    code: '55006',
    message: 'another node has taken over the capture of this database',
    hint: 'Nothing has to be done: this node stands by.',
    retryable: true,
  });
}

/** Nobody can see yet which columns are to be kept out of a log that is about to begin. */
export function captureBeingAltered(cause: PgError): PgError {
  return new PgError({
    code: cause.code,
    message: 'capture cannot begin while a transaction that altered it has not ended',
    detail: 'It may have said which columns are to be kept out of the change log.',
    hint: 'End it; or it has committed and waits for a synchronous standby.',
    retryable: true,
  });
}
