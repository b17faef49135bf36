import { loweringFailed } from '../core/errors/lowering.ts';
import { PgError } from '../core/errors/pg-error.ts';

/**
 * What the client is told of an exception while its statement was lowered. A mistake of ours fails
 * that statement alone; an exhausted stack or a broken parser is thrown on, for after those the
 * worker is not to be used again.
 */
export function asRefusal(
  error: unknown,
  failed: (reason: string) => PgError = loweringFailed,
): PgError {
  if (error instanceof PgError) return error;
  if (error instanceof TypeError) return failed(error.message);
  throw error;
}
