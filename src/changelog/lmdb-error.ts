import { logDamaged } from '../core/errors/change-log.ts';

/** LMDB's own codes of files that it cannot make sense of: MDB_PAGE_NOTFOUND, _CORRUPTED, ... */
const damageCodes: ReadonlySet<unknown> = new Set([-30797, -30796, -30795, -30793, -30784]);

/** What LMDB throws when the pages of a log are not what it wrote, as XX001; anything else as it is. */
export function asLogError(error: unknown): unknown {
  const { code, message } = error as { readonly code?: unknown; readonly message?: string };
  return damageCodes.has(code) ? logDamaged(`${message}.`) : error;
}
