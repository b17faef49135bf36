import { captureBeingAltered } from '../core/errors/capture.ts';
import { PgError } from '../core/errors/pg-error.ts';
import { printLsn } from '../core/lsn.ts';
import type { Connection } from '../postgres/connection.ts';

/** What a transaction said of excluded columns. */
export type ExclusionWord =
  | { readonly kind: 'said'; readonly columns: readonly string[] }
  | { readonly kind: 'nothing' }
  /** Its commit is in the WAL, and waits for a standby: nobody sees yet what it did. */
  | { readonly kind: 'unseen' };

/** A table as it is now, which may be later than the WAL that is read. */
export type TableNow = {
  /** By name: the numbers that its columns have for ever. */
  readonly places: ReadonlyMap<string, number>;
  readonly meant: readonly MeantColumn[];
};

/** A column that an excluded name meant when somebody looked. */
export type MeantColumn = {
  readonly name: string;
  /** As it is called now; undefined when it is dropped. */
  readonly column: string | undefined;
  /** Its number; undefined where it is that of a partition. */
  readonly place: number | undefined;
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
    const rows = await this.#connection.query(
      `SELECT a.attname::text AS column, a.attnum AS place, NULL AS name
         FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
       SELECT e.column_name, e.place, e.name FROM heliosdb.excluded_in($1) AS e`,
      [relationOid],
    );
    const columns = rows.filter(({ name }) => name === null);
    const meant = rows.filter(({ name }) => name !== null);
    return {
      places: new Map(columns.map(({ column, place }) => [String(column), Number(place)])),
      meant: meant.map(({ name, column, place }) => ({
        name: String(name),
        column: column === null ? undefined : String(column),
        place: place === null ? undefined : Number(place),
      })),
    };
  }

  async remember(): Promise<void> {
    await this.#connection.query('SELECT heliosdb.remember_excluded()');
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
