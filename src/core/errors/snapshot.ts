import { PgError } from './pg-error.ts';

/** Errors of reading the present rows of a table. `table` is its name as a user writes it. */

export function snapshotTableGone(table: string): PgError {
  return new PgError({
    code: '42P01',
    message: `table ${table} was dropped while its snapshot was read`,
    hint: 'Begin a new snapshot of a table that exists.',
  });
}

/** `difference` says what is not as it was, in a full sentence. */
export function snapshotTableAltered(table: string, difference: string): PgError {
  return new PgError({
    code: '55000',
    message: `table ${table} was altered while its snapshot was read`,
    detail: difference,
    hint: 'Begin the snapshot anew.',
  });
}

export function snapshotOfWrongObject(table: string, why: string, hint: string): PgError {
  return new PgError({
    code: '42809',
    message: `cannot read a snapshot of ${table}`,
    detail: why,
    hint,
  });
}

export function snapshotColumnMissing(table: string, column: string): PgError {
  return new PgError({
    code: '42703',
    message: `column "${column}" of ${table} does not exist`,
    hint: 'Name columns the table has.',
  });
}

export function snapshotWithoutKey(table: string, why: string): PgError {
  return new PgError({
    code: '55000',
    message: `table ${table} cannot be read in chunks`,
    detail: why,
    hint: 'Give the table a primary key, or leave it to be read in one transaction.',
  });
}

export function snapshotOnStandby(): PgError {
  return new PgError({
    code: '55000',
    message: 'cannot read a snapshot on a standby',
    detail: 'The snapshots of a standby do not list the transactions that are in progress.',
    hint: 'Name the primary as the server to read from.',
  });
}

/** No sample of the WAL is as old as the oldest transaction that is open. */
export function snapshotWithoutPosition(oldestXid: bigint): PgError {
  return new PgError({
    code: '55000',
    message: 'no position of the change log is old enough for a snapshot yet',
    detail: `Transaction ${oldestXid} was open before the log was first sampled.`,
    hint: 'Wait for old transactions, prepared ones too, to end; then this goes on by itself.',
    retryable: true,
  });
}

export function snapshotOfOtherEpoch(table: string, began: number, now: number): PgError {
  return new PgError({
    code: '55000',
    message: `the snapshot of ${table} cannot be continued`,
    detail: `It began in epoch ${began} of the change log, which is in epoch ${now}.`,
    hint: 'Begin the snapshot anew.',
  });
}

export function snapshotKeptBeingRewritten(table: string, attempts: number): PgError {
  return new PgError({
    code: '40001',
    message: `could not read ${table} between two rewrites of it`,
    detail: `It was rewritten or truncated during each of ${attempts} attempts.`,
    retryable: true,
  });
}

export function snapshotKeyUnknown(table: string, column: string): PgError {
  return new PgError({
    code: '55000',
    message: `a change of ${table} does not have its key`,
    detail: `The change log has no value of column "${column}".`,
    hint: 'Let the key column be captured, or begin the snapshot anew.',
  });
}

export function snapshotTooManyRereads(table: string, most: number): PgError {
  return new PgError({
    code: '54000',
    message: `too many rows of ${table} had to be read again`,
    detail: `At most ${most} rows are read again during one snapshot.`,
    hint: 'Begin the snapshot anew.',
  });
}

export function snapshotStateInvalid(why: string): PgError {
  return new PgError({
    code: 'XX001',
    message: 'the stored state of a snapshot is not usable',
    detail: why,
    hint: 'Begin the snapshot anew.',
  });
}

export function snapshotNotPermitted(table: string, said: string, cause: unknown): PgError {
  return new PgError({
    code: '42501',
    message: `permission denied to read ${table}`,
    detail: `Postgres said: ${said}.`,
    hint: 'Grant SELECT on every wanted column to the role that reads; row security must not apply.',
    cause,
  });
}

/** A failure that may not happen again: a timeout, a lost connection, a conflict. */
export function snapshotInterrupted(
  table: string,
  failure: { readonly code: string; readonly message: string },
  cause: unknown,
): PgError {
  return new PgError({
    code: failure.code,
    message: `reading ${table} was interrupted`,
    detail: `Postgres said: ${failure.message}.`,
    hint: 'Continue from the last stored state.',
    retryable: true,
    cause,
  });
}

/** Whatever else Postgres says, for instance of a predicate that divides by zero. */
export function snapshotFailed(
  table: string,
  failure: { readonly code: string; readonly message: string; readonly hint?: string | undefined },
  cause: unknown,
): PgError {
  return new PgError({
    code: failure.code,
    message: `could not read ${table}: ${failure.message}`,
    hint: failure.hint,
    cause,
  });
}
