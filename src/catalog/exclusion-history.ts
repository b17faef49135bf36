import { captureBeingAltered } from '../core/errors/capture.ts';
import { PgError } from '../core/errors/pg-error.ts';
import { parseLsn, printLsn } from '../core/lsn.ts';
import type { Connection } from '../postgres/connection.ts';

/** What a transaction said of excluded columns. */
export type ExclusionWord =
  | { readonly kind: 'said'; readonly columns: readonly string[] }
  | { readonly kind: 'nothing' }
  /** Its commit is in the WAL, and waits for a standby: nobody sees yet what it did. */
  | { readonly kind: 'unseen' };

/** A table as it is now, which may be later, or earlier, than the WAL that is read. */
export type TableNow = {
  /** All there have ever been that are sent, in the order of their numbers. */
  readonly columns: readonly ColumnNow[];
  readonly meant: readonly MeantColumn[];
  /** Nobody has looked yet what the names mean in it. */
  readonly isNew: boolean;
};

export type ColumnNow = {
  /** A number that it has for ever. */
  readonly place: number;
  /** Undefined when it is dropped. */
  readonly name: string | undefined;
};

/** A column that an excluded name meant when somebody looked. */
export type MeantColumn = {
  readonly name: string;
  readonly place: number;
  /** When that was, in the WAL; what was found then holds for ever behind it. */
  readonly lookedLsn: bigint;
  /** Columns before it that were dropped. */
  readonly droppedBefore: number;
  readonly isDropped: boolean;
};

/** Which columns were kept out of the log when (`heliosdb.capture_exclusions`). */
export class ExclusionHistory {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * What holds where a log begins. Dotted names, quoted where needed: `public.users.password`. Waits
   * for whoever says something now, for a moment: a commit that waits for a standby may be before
   * that place, and nobody could see what it said.
   *
   * @throws PgError 55P03
   */
  before(lsn: bigint): Promise<readonly string[]> {
    return this.#connection.transaction(async () => {
      await this.#connection.query("SET LOCAL lock_timeout = '2s'");
      try {
        await this.#connection.query('SELECT FROM heliosdb.capture FOR SHARE');
      } catch (error) {
        const isLocked = error instanceof PgError && error.code === '55P03';
        throw isLocked ? captureBeingAltered(error) : error;
      }
      return this.#before(lsn);
    });
  }

  async #before(lsn: bigint): Promise<readonly string[]> {
    const [row] = await this.#connection.query(
      `SELECT coalesce((SELECT columns FROM heliosdb.capture_exclusions WHERE lsn < $1::pg_lsn
                         ORDER BY id DESC LIMIT 1), excluded_columns) AS columns
         FROM heliosdb.capture`,
      [printLsn(lsn)],
    );
    return (row?.['columns'] ?? []) as string[];
  }

  /** What the names of excluded columns mean in a table, and how that is now. */
  async tableNow(relationOid: number): Promise<TableNow> {
    const [row] = await this.#connection.query(
      `SELECT heliosdb.is_new_to_excluded($1) AS is_new,
              (SELECT coalesce(json_agg(json_build_object('place', a.attnum,
                        'name', CASE WHEN NOT a.attisdropped THEN a.attname END)
                        ORDER BY a.attnum), '[]')
                 FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = $1 AND a.attnum > 0
                  AND (a.attgenerated = '' OR a.attgenerated = 's'
                    AND current_setting('server_version_num')::int >= 180000)) AS columns,
              (SELECT coalesce(json_agg(json_build_object('name', e.name, 'place', e.attnum,
                        'lookedLsn', e.looked_lsn, 'droppedBefore', e.dropped_before,
                        'isDropped', e.is_dropped)), '[]')
                 FROM heliosdb.excluded_attributes AS e WHERE e.relid = $1) AS meant`,
      [relationOid],
    );
    const columns = row?.['columns'] as readonly (Omit<ColumnNow, 'name'> & {
      readonly name: string | null;
    })[];
    const meant = row?.['meant'] as readonly (Omit<MeantColumn, 'lookedLsn'> & {
      readonly lookedLsn: string;
    })[];
    return {
      isNew: row?.['is_new'] === true,
      columns: columns.map(({ name, ...column }) => ({ ...column, name: name ?? undefined })),
      meant: meant.map(({ lookedLsn, ...column }) => ({
        ...column,
        lookedLsn: parseLsn(lookedLsn) ?? 0n,
      })),
    };
  }

  /** Somebody who says something at this moment is not waited for: the next time. */
  async remember(): Promise<void> {
    await this.#connection.query('SET lock_timeout = 100');
    try {
      await this.#connection.query('SELECT heliosdb.remember_excluded()');
    } catch (error) {
      if (!(error instanceof PgError && error.code === '55P03')) throw error;
    } finally {
      await this.#connection.query('RESET lock_timeout').catch(() => undefined);
    }
  }

  async wordOf(xid: bigint): Promise<ExclusionWord> {
    const [row] = await this.#connection.query(
      `SELECT pg_visible_in_snapshot($1::xid8, pg_current_snapshot()) AS is_seen,
              (SELECT columns FROM heliosdb.capture_exclusions WHERE xid = $1::xid8
                ORDER BY id DESC LIMIT 1) AS columns`,
      [String(xid)],
    );
    if (row?.['is_seen'] !== true) return { kind: 'unseen' };
    const columns = row['columns'] as string[] | null;
    return columns === null ? { kind: 'nothing' } : { kind: 'said', columns };
  }
}
