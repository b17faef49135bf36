import { printLsn } from '../lsn.ts';
import { PgError } from './pg-error.ts';

/** A table whose changes the role may not see, as Postgres words it for the table itself. */
export function changesNotPermitted(
  table: string,
  reason: 'privilege' | 'row-security' | 'dropped',
  position?: number,
): PgError {
  const detail = {
    privilege: undefined,
    'row-security':
      'Row security decides which of its rows the role sees; changes cannot be told apart by it.',
    dropped: 'The table is gone, and with it the rights on it: only superusers see its changes.',
  }[reason];
  return new PgError({
    code: '42501',
    message: `permission denied for table ${table}`,
    detail,
    hint:
      reason === 'privilege'
        ? 'Whoever may SELECT the table sees its changes.'
        : 'Ask a role that bypasses it: the owner of the table or a superuser.',
    position,
  });
}

/** FROM names nothing that is or was captured. */
export function changesOfMissingTable(table: string, position?: number): PgError {
  return new PgError({
    code: '42P01',
    message: `relation "${table}" does not exist`,
    position,
  });
}

/** What FROM may name by mistake, and what is to be named instead. */
const uncaptured = {
  view: { plural: 'views', instead: 'Name a table that it reads.' },
  'materialized view': { plural: 'materialized views', instead: 'Name a table that it reads.' },
  index: { plural: 'indexes', instead: 'Name the table it is on.' },
  sequence: { plural: 'sequences', instead: 'Name the table that takes its values.' },
  'foreign table': { plural: 'foreign tables', instead: 'Ask the server that has its rows.' },
  'composite type': { plural: 'composite types', instead: 'Name a table.' },
  'TOAST table': { plural: 'TOAST tables', instead: 'Name the table it belongs to.' },
  'temporary table': { plural: 'temporary tables', instead: 'Name a table that is kept.' },
  'unlogged table': { plural: 'unlogged tables', instead: 'ALTER TABLE ... SET LOGGED first.' },
  'system table': { plural: 'system tables', instead: 'Name a table of yours.' },
} as const;

export type UncapturedKind = keyof typeof uncaptured;

/** FROM names what nothing is ever captured of; the DETAIL is Postgres's. */
export function changesOfUncaptured(
  relation: string,
  kind: UncapturedKind,
  position?: number,
): PgError {
  return new PgError({
    code: '42809',
    message: `cannot show changes of ${kind} "${relation}"`,
    detail: `This operation is not supported for ${uncaptured[kind].plural}.`,
    hint: uncaptured[kind].instead,
    position,
  });
}

/** What WHERE compares with has to be sent again, and the proxy has not kept it. */
export function eventsParametersTooLong(bytesMax: number): PgError {
  return new PgError({
    code: '54000',
    message: 'parameters of SHOW CDC EVENTS are too long',
    detail: `Together they take more than ${bytesMax} bytes.`,
    hint: 'Put long values into a table, and compare with a subquery.',
  });
}

/** The changes that were asked for do not fit into one answer. */
export function tooManyChanges(bytesMax: number): PgError {
  return new PgError({
    code: '54000',
    message: 'too many changes for one answer',
    detail: `They take more than ${bytesMax} bytes.`,
    hint: 'Ask for fewer with LIMIT, and go on with SINCE LSN behind the last one.',
  });
}

/** One of them alone is more than that. */
export function changeAboveAnswer(bytesMax: number): PgError {
  return new PgError({
    code: '54000',
    message: 'a change is too large for one answer',
    detail: `It takes more than ${bytesMax} bytes.`,
    hint: 'SHOW CDC EVENTS FOLLOW shows it; ALTER CDC CAPTURE EXCLUDE keeps columns out.',
  });
}

/** No jsonb can hold it, so nothing can show it. */
export function changeTooLarge(
  table: string | undefined,
  position: { readonly epoch: number; readonly lsn: bigint; readonly seq: number },
  bytesMax: number,
): PgError {
  const at = `(${position.epoch}, ${printLsn(position.lsn)}, ${position.seq})`;
  return new PgError({
    code: '54000',
    message: `change ${at} of table ${table} is too large to be shown`,
    detail: `With what it was before it takes more than ${bytesMax} bytes, or has millions of elements.`,
    hint: `Go on behind its transaction with SINCE LSN '${printLsn(position.lsn + 1n)}'; ALTER CDC CAPTURE EXCLUDE keeps columns out.`,
  });
}

/** The node does not capture this database. */
export function databaseNotCaptured(database: string): PgError {
  return new PgError({
    code: '55000',
    message: `changes of database "${database}" are not captured`,
    hint: 'ALTER CDC CAPTURE ENABLE begins it, on a database that a node with the engine role is started for (--databases).',
  });
}

/** FOLLOW ends its own transactions, so it cannot be part of the client's. */
export function followInTransaction(): PgError {
  return new PgError({
    code: '25001',
    message: 'SHOW CDC EVENTS FOLLOW cannot run inside a transaction block',
    hint: 'Send it alone, on a session that is not in a transaction.',
  });
}

/** Nobody has begun capture, and the role that asks for changes may not, or not here. */
export function captureNotBegun(database: string): PgError {
  return new PgError({
    code: '55000',
    message: `changes of database "${database}" are not captured yet`,
    hint: 'A member of heliosdb_admin begins it with ALTER CDC CAPTURE ENABLE, outside of a transaction block.',
  });
}

/** As the catalog has it of a capture that does not get going. */
export type CaptureFailure = {
  readonly code: string;
  /** Message and DETAIL. */
  readonly error: string;
  readonly hint: string | null;
};

/** What stops capture, as `SHOW CDC STATUS` and `/health` have it. */
export function captureFails({ code, error, hint }: CaptureFailure): PgError {
  // No message of ours has a full stop.
  const [, message, detail] = /^(.*?)(?:\. (.*))?$/s.exec(error)!;
  return new PgError({
    code,
    message: message!,
    detail,
    hint: hint ?? 'SHOW CDC STATUS says how capture is doing.',
    retryable: true,
  });
}

/** Capture was asked for, and does not get going. */
export function captureDoesNotBegin(
  database: string,
  seconds: number,
  failure: CaptureFailure | undefined,
): PgError {
  return new PgError({
    code: '55000',
    message: `capture of database "${database}" has not begun within ${seconds} s`,
    detail:
      failure === undefined
        ? 'Either no node with the engine role runs, or its new replication slot waits for the transactions that write now.'
        : `The last attempt: ${failure.error}${failure.error.endsWith('.') ? '' : '.'}`,
    hint: 'SHOW CDC STATUS says how capture is doing; ask again when the transactions have ended.',
    retryable: true,
  });
}
