import { PgError } from './pg-error.ts';
import type { At } from './windows.ts';

export function loweredNotBoolean(at: At): PgError {
  return new PgError({ code: '42601', message: 'lowered requires a Boolean value', ...at });
}

/** @param option the name of the other option, in capitals */
export function loweredWithOther(option: string, at: At): PgError {
  return new PgError({
    code: '22023',
    message: `EXPLAIN options LOWERED and ${option} cannot be used together`,
    detail: 'LOWERED shows the text of the lowered statement, which has no plan.',
    hint: 'Leave LOWERED out: EXPLAIN shows the plan of the lowered statement.',
    ...at,
  });
}
