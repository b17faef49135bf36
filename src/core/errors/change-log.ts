import { printLsn } from '../lsn.ts';
import { PgError } from './pg-error.ts';

/** Bytes of a change log that cannot be what was written. */
export function logDamaged(reason: string): PgError {
  return new PgError({
    code: 'XX001',
    message: 'change log is damaged',
    detail: reason,
    hint: 'Stop the engine, move the directory of the change log away and start again; readers that need what it held are then told about the gap.',
  });
}

/** An older HeliosDB on a log that a later one has changed. */
export function logOfLaterFormat(found: number, known: number): PgError {
  return new PgError({
    code: '0A000',
    message: 'change log was written by a later version of HeliosDB',
    detail: `Its format is ${found}; this version reads up to ${known}.`,
    hint: 'Start the later version again, or move the directory of the change log away.',
  });
}

/** The files of a log cannot be opened. */
export function logUnusable(directory: string, cause: unknown): PgError {
  return new PgError({
    code: '58030',
    message: `could not open the change log in "${directory}"`,
    detail: sentence(cause),
    hint: 'Check that the directory belongs to the user that runs HeliosDB and is on a local disk, or name another with --data.',
    retryable: true,
    cause,
  });
}

/** A write to the log failed; what the system says of a full disk may be an I/O error. */
export function logNotWritten(directory: string, cause: unknown, hasNoSpace: boolean): PgError {
  const isFull = hasNoSpace || /ENOSPC|no space|EDQUOT|MDB_MAP_FULL|EFBIG/i.test(String(cause));
  return new PgError({
    code: isFull ? '53100' : '58030',
    message: isFull ? 'no space is left for the change log' : 'could not write the change log',
    detail: `${directory}: ${sentence(cause)}`,
    hint: isFull
      ? 'Free space on that disk, or keep less with ALTER CDC CAPTURE SET (retention_bytes = ...). Nothing is lost: the replication slot holds what is not written yet.'
      : 'Check the disk. Nothing is lost: the replication slot holds what is not written yet.',
    retryable: true,
    cause,
  });
}

/** The log takes more than it may although retention has removed what it can. */
export function logAtItsCap(directory: string, bytes: number, max: number): PgError {
  return new PgError({
    code: '53100',
    message: 'change log has reached its largest size',
    detail: `${directory} takes ${bytes} bytes of at most ${max}.`,
    hint: 'A reader holds it or reads it for too long: see SHOW CDC READERS, or raise retention_bytes with ALTER CDC CAPTURE SET.',
    retryable: true,
  });
}

/** There is nothing to read yet. */
export function noLog(database: string): PgError {
  return new PgError({
    code: '55000',
    message: `changes of database "${database}" are not captured here`,
    hint: 'Start capture with ALTER CDC CAPTURE ENABLE on a node that runs the engine role.',
    retryable: true,
  });
}

/** A position of which the log no longer has what follows. */
export function positionBeforeLog(asked: bigint, start: bigint, epoch: number): PgError {
  return new PgError({
    code: '22023',
    message: `the change log begins at ${printLsn(start)}`,
    detail: `Changes from ${printLsn(asked)} on were asked for; what is before the beginning of epoch ${epoch} in the log has been removed or was never captured.`,
    hint: `Read from ${printLsn(start)} on, knowing that there is a gap before it.`,
  });
}

/** A position of an epoch the log knows nothing of. */
export function epochNotInLog(epoch: number, known: readonly number[]): PgError {
  return new PgError({
    code: '22023',
    message: `the change log holds nothing of epoch ${epoch}`,
    detail: `It holds ${known.length === 1 ? 'epoch' : 'epochs'} ${known.join(', ')}.`,
    hint: 'Read from the start of one of these, knowing that there is a gap before it.',
  });
}

/** Whether it says that the log does not have what was asked for, and never will again. */
export function isMissingInLog({ code, message }: PgError): boolean {
  return code === '22023' && message.startsWith('the change log ');
}

function sentence(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.endsWith('.') ? text : `${text}.`;
}
