import { PgError } from '../core/errors/pg-error.ts';
import { serverConnectionLost, serverError } from '../core/errors/server.ts';

/** SQLSTATEs after which the same attempt may succeed: connections, resources, shutdown, locks. */
const retryable = /^(?:08|53|57|55P03|55006|40)/;

/** What the driver rejected with, as a PgError: the server's own fields, or 08006 for a socket's. */
export function asPgError(error: unknown): PgError {
  if (error instanceof PgError) return error;
  const { code, severity, message, detail, hint } = error as Record<string, string | undefined>;
  // Only an ErrorResponse has a severity; the codes of sockets look different.
  if (severity === undefined || code === undefined) return serverConnectionLost(error);
  return serverError({
    code,
    message: message ?? '',
    detail,
    hint,
    retryable: retryable.test(code),
    cause: error,
  });
}
