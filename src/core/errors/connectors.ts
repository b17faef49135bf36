import { PgError } from './pg-error.ts';

/** What a sink answered, or that it did not, in words of its own. */
export function sinkFailed(
  what: string,
  cause: unknown,
  { hint }: { readonly hint: string },
): PgError {
  return new PgError({
    code: '58000',
    message: what,
    detail: cause instanceof Error ? cause.message : String(cause),
    hint,
    retryable: true,
    cause,
  });
}

/** Nobody answers where the sink should be. */
export function sinkUnreachable(what: string, cause: unknown, hint: string): PgError {
  return new PgError({
    code: '08001',
    message: what,
    detail: cause instanceof Error ? cause.message : String(cause),
    hint,
    retryable: true,
    cause,
  });
}

/** The sink does not let us in. */
export function sinkDenied(what: string, cause: unknown, hint: string): PgError {
  return new PgError({
    code: '28000',
    message: what,
    detail: cause instanceof Error ? cause.message : String(cause),
    hint,
    // Somebody may be giving us the right at this moment.
    retryable: true,
    cause,
  });
}

/** Of a connector that was made before anybody knew the types, or by a later version. */
export function connectorTypeUnknown(type: string, valid: readonly string[]): PgError {
  return new PgError({
    code: '22023',
    message: `unrecognized type of connector "${type}"`,
    hint: `Valid types are ${valid.join(', ')}.`,
  });
}

export function secretNotAllowed(place: string, hint: string): PgError {
  return new PgError({
    code: '42501',
    message: `a connector may not read ${place}`,
    hint,
  });
}

export function secretMissing(place: string, cause?: unknown): PgError {
  return new PgError({
    code: '58030',
    message: `could not read ${place}`,
    ...(cause instanceof Error ? { detail: cause.message } : {}),
    hint: 'It is read by the node that delivers; put it there.',
    retryable: true,
    cause,
  });
}

/** The owner of a connector may not read what it delivers. */
export function connectorRightGone(table: string, owner: string, detail: string): PgError {
  return new PgError({
    code: '42501',
    message: `permission denied for table ${table}`,
    detail,
    hint: `The connector reads with the rights of its owner: GRANT SELECT ON ${table} TO ${owner}.`,
    retryable: true,
  });
}

/** Changes behind the position of a connector are gone, or were never captured. */
export function connectorGap(connector: string, reason: string): PgError {
  return new PgError({
    code: '55000',
    message: `changes are missing for connector "${connector}"`,
    detail: reason,
    hint: `ALTER CDC CONNECTOR ${connector} RESUME SKIP GAP goes on; changes in between are not delivered.`,
  });
}
