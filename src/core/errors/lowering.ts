import { PgError } from './pg-error.ts';

/** A mistake of ours, found while a statement was lowered. */
export function loweringFailed(reason: string): PgError {
  return new PgError({
    code: 'XX000',
    message: 'window could not be lowered',
    detail: reason,
    hint: 'Please report this statement; until then write the window with date_bin().',
  });
}
