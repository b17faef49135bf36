import { capturePrivilegeMissing } from '../../core/errors/capture.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import type { Connection, Row } from '../../postgres/connection.ts';

/** What START_REPLICATION is asked for. */
export const publicationNames = ['heliosdb_inserts', 'heliosdb_updates'] as const;

const operations = {
  heliosdb_inserts: 'insert, truncate',
  heliosdb_updates: 'update, delete',
} as const;

/** What comes of tables that others change at the same time. */
const passingCodes: ReadonlySet<string> = new Set(
  ['55P03', '42P01', '42704', '40P01', '40001', '23505', 'XX000'], // deadlock and cache lookups too
);

export type PublicationName = (typeof publicationNames)[number];

export type PublicationState = {
  /** Those that are not there, or publish less than they did when they were made. */
  readonly unusable: readonly PublicationName[];
  /** Another text when one was made again, or altered. */
  readonly identity: string;
};

/** Whether the two are what they were made as; somebody may have altered them. */
export async function publicationState(connection: Connection): Promise<PublicationState> {
  const rows = await connection.query(
    `SELECT pubname AS name, concat(oid, ' ', xmin) AS version,
            current_setting('server_version_num')::int >= 150000 AS has_filters,
            (pubinsert, pubtruncate, pubupdate, pubdelete, pubviaroot) = (
              CASE pubname WHEN 'heliosdb_inserts' THEN (true, true, false, false, true)
                ELSE (false, false, true, true, true) END) AS is_whole
       FROM pg_catalog.pg_publication WHERE pubname = ANY ($1) ORDER BY pubname`,
    [publicationNames],
  );
  const filtered =
    rows[0]?.['has_filters'] === true ? await filteredPublications(connection) : new Set();
  const usable = new Set(
    rows.flatMap(({ name, is_whole }) => (is_whole && !filtered.has(name) ? [name] : [])),
  );
  return {
    unusable: publicationNames.filter((name) => !usable.has(name)),
    identity: rows.map(({ version }) => version).join(),
  };
}

/** Of which somebody has set a row filter or a column list, which Postgres has from 15 on. */
async function filteredPublications(connection: Connection): Promise<ReadonlySet<unknown>> {
  const rows = await connection.query(
    `SELECT DISTINCT p.pubname AS name
       FROM pg_catalog.pg_publication_rel AS r
       JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
      WHERE p.pubname = ANY ($1) AND (r.prqual IS NOT NULL OR r.prattrs IS NOT NULL)`,
    [publicationNames],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Makes the two publications where they are missing or altered, and brings them up to date. */
export async function ensurePublications(connection: Connection): Promise<void> {
  const [server] = await connection.query(
    `SELECT current_setting('server_version_num')::int AS version,
            (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser`,
  );
  const generated =
    Number(server?.['version']) >= 180_000 ? ', publish_generated_columns = stored' : '';
  try {
    for (const name of (await publicationState(connection)).unusable) {
      await connection.query(`DROP PUBLICATION IF EXISTS ${name}`);
      // All tables, those of tomorrow too, need a superuser.
      const isForAll = name === 'heliosdb_inserts' && server?.['superuser'] === true;
      await connection.query(
        `CREATE PUBLICATION ${name} ${isForAll ? 'FOR ALL TABLES' : ''}
           WITH (publish = '${operations[name]}', publish_via_partition_root = true${generated})`,
      );
    }
    await withLockTimeout(connection, 'SELECT heliosdb.sync_publications()');
  } catch (error) {
    if (error instanceof PgError && error.code === '42501') throw capturePrivilegeMissing(error);
    throw error;
  }
}

/**
 * Brings them up to the tables there are now, as far as these are not locked. Answers whether
 * something is left to be done.
 */
export async function publishLateTables(connection: Connection): Promise<boolean> {
  const row = await withLockTimeout(
    connection,
    'SELECT heliosdb.publish_late_tables() AS is_unfinished',
  );
  return row?.['is_unfinished'] !== false;
}

/** Undefined when something was locked, or dropped at this moment: the next time. */
async function withLockTimeout(connection: Connection, text: string): Promise<Row | undefined> {
  // Less than deadlock_timeout, so that nobody else's transaction is ended because of this one.
  await connection.query('SET lock_timeout = 500');
  try {
    return (await connection.query(text))[0];
  } catch (error) {
    if (!(error instanceof PgError && passingCodes.has(error.code))) throw error;
    return undefined;
  } finally {
    await connection.query('RESET lock_timeout').catch(() => undefined);
  }
}

export async function dropPublications(connection: Connection): Promise<void> {
  for (const name of publicationNames) {
    await connection.query(`DROP PUBLICATION IF EXISTS ${name}`);
  }
}
