import { PgError, type PgErrorFields } from './pg-error.ts';

/** Errors of reading a change log from the node that has it. */

/** It cannot be connected to, or the connection broke. `where` names it. */
export function logNodeSilent(where: string, reason: string, cause?: unknown): PgError {
  return new PgError({
    code: '08006',
    message: 'node that has the change log does not answer',
    detail: `${where}: ${reason}.`,
    hint: 'Start that node, or give it an address that this one reaches with --internal; another node with the engine role takes over by itself.',
    retryable: true,
    cause,
  });
}

/** Whoever answers does not know the secret of the database. */
export function logNodeNotTrusted(where: string): PgError {
  return new PgError({
    code: '08006',
    message: 'node that has the change log does not prove that it is the one',
    detail: `Whoever answers at ${where} does not know the secret in heliosdb.secrets.`,
    hint: 'It may be a program that took over the port: see log_address in heliosdb.nodes.',
    retryable: true,
  });
}

/** The two sides speak no common version. */
export function logStreamOfOtherVersion(where: string, known: string): PgError {
  return new PgError({
    code: '0A000',
    message: 'node that has the change log runs another version of HeliosDB',
    detail: `${where} does not speak version ${known} of the stream between nodes.`,
    hint: 'Upgrade the older node; neighbouring versions understand each other.',
  });
}

/** What came between two nodes makes no sense. */
export function logStreamDamaged(reason: string): PgError {
  return new PgError({
    code: '08P01',
    message: 'stream between nodes is damaged',
    detail: reason,
    retryable: true,
  });
}

/** Another node has taken over: what was meant for this log does not hold for the other. */
export function logMoved(): PgError {
  return new PgError({
    code: '08006',
    message: 'change log is read from another node now',
    detail: 'Another node has taken over the capture of this database.',
    hint: 'Ask again.',
    retryable: true,
  });
}

/** Neither the catalog nor the disk says where the log is. */
export function logOwnerUnknown(database: string, cause: unknown): PgError {
  const known = cause instanceof Error ? cause.message : String(cause);
  return new PgError({
    code: '08006',
    message: `could not find out which node has the change log of database "${database}"`,
    detail: `${known}.`,
    hint: 'Check that the database answers this node; its change log is not on this disk.',
    retryable: true,
    cause,
  });
}

/** More table versions than a request holds. */
export function logRequestTooLarge(bytesMax: number): PgError {
  return new PgError({
    code: '54000',
    message: 'too many tables are asked for at once',
    detail: `A request to the node that has the change log takes at most ${bytesMax} bytes.`,
    hint: 'Ask for all tables.',
  });
}

/** A change that is larger than what goes between two nodes. */
export function logAnswerTooLarge(bytes: number, bytesMax: number): PgError {
  return new PgError({
    code: '54000',
    message: 'changes are too large to be read from another node',
    detail: `They take ${bytes} bytes of at most ${bytesMax}.`,
    hint: 'Ask for fewer changes at once, or read them on the node that has the change log.',
  });
}

/** The reader was closed while it was asked. */
export function logReaderClosed(): PgError {
  return new PgError({
    code: '57P01',
    message: 'change log is not read any more',
    detail: 'This node is shutting down.',
    retryable: true,
  });
}

/** What the other node answered. */
export function logRequestFailed(
  fields: Pick<PgErrorFields, 'code' | 'message' | 'detail' | 'hint' | 'retryable'>,
): PgError {
  return new PgError(fields);
}

/** Something that is no PgError: a mistake of ours. What it says stays on the node that made it. */
export function logReadFailed(cause: unknown): PgError {
  return new PgError({
    code: 'XX000',
    message: 'reading the change log failed unexpectedly',
    hint: 'See the log of the node that has the change log.',
    cause,
  });
}
