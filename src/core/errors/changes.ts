import { PgError } from './pg-error.ts';

/** Errors about captured changes: what was received from a slot or is stored in a change log. */

/** Bytes that are no change, or a change that does not fit its table. */
export function changeDamaged(detail: string): PgError {
  return new PgError({ code: 'XX001', message: 'captured change is damaged', detail });
}

/** A mistake of ours: the replication session did not ask for the text of values. */
export function changeInBinary(): PgError {
  return new PgError({
    code: 'XX000',
    message: 'captured change holds a binary value',
    detail: 'Values are asked for as text.',
  });
}
