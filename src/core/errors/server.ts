import { PgError, type PgErrorFields } from './pg-error.ts';

/** An error of the server on a connection of ours. */
export function serverError(fields: Omit<PgErrorFields, 'severity' | 'position'>): PgError {
  return new PgError(fields);
}

/** A connection of ours broke or was never there. */
export function serverConnectionLost(cause: unknown): PgError {
  return new PgError({
    code: '08006',
    message: 'connection to the server was lost',
    detail: cause instanceof Error ? `${cause.message}.` : String(cause),
    hint: 'It is tried again until the server is back.',
    retryable: true,
    cause,
  });
}
