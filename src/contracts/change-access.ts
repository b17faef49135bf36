/**
 * Who may see which captured changes. Nobody sees more than he may SELECT now, from the table as it
 * is now: a right on all of the table shows every version of it; a right on columns shows these
 * columns, of versions that have the columns the table has now; a table whose row security applies
 * to the role shows nothing, nor does a table that is gone (but to superusers).
 */
import type { TableVersion } from './change.ts';

/** Of one table version: everything, some columns (by index), or why nothing. */
export type VersionRights =
  | { readonly kind: 'all' }
  | { readonly kind: 'columns'; readonly visible: readonly boolean[] }
  | { readonly kind: 'none'; readonly reason: 'privilege' | 'row-security' | 'dropped' };

export interface ChangeAccess {
  /** By version id; asked again for each request, so that a REVOKE is obeyed at once. */
  rightsOn(versions: readonly TableVersion[]): Promise<ReadonlyMap<number, VersionRights>>;
}
