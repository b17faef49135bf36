import { PgError } from './pg-error.ts';

/** The heliosdb schema could not be made. */
export function catalogNotMade(cause: unknown): PgError {
  const known = cause instanceof PgError ? cause : undefined;
  const isRight = known?.code === '42501';
  return new PgError({
    code: known?.code ?? 'XX000',
    message: isRight
      ? 'the role of --upstream may not make the schema heliosdb'
      : 'could not make the schema heliosdb',
    detail: `${known?.message ?? String(cause)}.`,
    hint: isRight
      ? 'GRANT CREATE ON DATABASE to that role, and CREATEROLE or a role heliosdb_admin made by an administrator. Windows work without.'
      : (known?.hint ?? 'Windows work without it.'),
    retryable: known?.retryable ?? false,
    cause,
  });
}
