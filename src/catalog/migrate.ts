import { catalogNotMade } from '../core/errors/catalog.ts';
import type { Connection } from '../postgres/connection.ts';
import { migrations } from './migrations.ts';

/** Any number of nodes may migrate at once: this lock lets one do it and the others find it done. */
const migrationLock = "hashtext('heliosdb.migrations')";

/**
 * Makes the `heliosdb` schema or brings it up to date, in one transaction. A schema of a later
 * version is left as it is.
 *
 * @throws PgError 42501 when the role may not, with what to grant
 */
export async function migrate(connection: Connection): Promise<void> {
  try {
    await connection.transaction(async () => {
      // Before the lock: a schema that is there and complete is not written to at all.
      if (await isComplete(connection)) return;
      await connection.query(`SELECT pg_advisory_xact_lock(${migrationLock})`);
      await makeSchema(connection);
      const done = await appliedNumbers(connection);
      for (const { number, name, sql } of migrations()) {
        if (done.has(number)) continue;
        await connection.query(sql);
        await connection.query('INSERT INTO heliosdb.migrations (number, name) VALUES ($1, $2)', [
          number,
          name,
        ]);
      }
      await connection.query(grants);
    });
  } catch (error) {
    throw catalogNotMade(error);
  }
}

async function isComplete(connection: Connection): Promise<boolean> {
  const [found] = await connection.query(
    "SELECT to_regclass('heliosdb.migrations') IS NOT NULL AS there",
  );
  if (found?.['there'] !== true) return false;
  const done = await appliedNumbers(connection);
  return migrations().every(({ number }) => done.has(number));
}

async function makeSchema(connection: Connection): Promise<void> {
  await connection.query(`
    CREATE SCHEMA IF NOT EXISTS heliosdb;
    CREATE TABLE IF NOT EXISTS heliosdb.migrations (
      number integer PRIMARY KEY,
      name text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    );
    DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'heliosdb_admin') THEN
        CREATE ROLE heliosdb_admin NOLOGIN;
      END IF;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL; -- Made for another database of the server at the same moment.
      WHEN insufficient_privilege THEN
        NULL; -- Somebody else may make it; until then the owner of the schema alone has the rights.
    END $$`);
}

async function appliedNumbers(connection: Connection): Promise<ReadonlySet<number>> {
  const rows = await connection.query('SELECT number FROM heliosdb.migrations');
  return new Set(rows.map((row) => Number(row['number'])));
}

/** What members of heliosdb_admin may do: everything that has a statement. */
const grants = `
  DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'heliosdb_admin') THEN
      GRANT SELECT ON heliosdb.cdc_status, heliosdb.cdc_tables, heliosdb.cdc_readers,
        heliosdb.cdc_connectors, heliosdb.audit TO heliosdb_admin;
      GRANT EXECUTE ON FUNCTION heliosdb.table_plan(oid[]), heliosdb.excluded_of(oid),
        heliosdb.connector_reader(text), heliosdb.known_connector(text) TO heliosdb_admin;
      GRANT EXECUTE ON PROCEDURE heliosdb.enable_capture(), heliosdb.disable_capture(),
        heliosdb.resume_capture(boolean), heliosdb.set_capture_options(jsonb),
        heliosdb.exclude_columns(text[]), heliosdb.include_columns(text[]), heliosdb.adopt(),
        heliosdb.create_cdc_connector(text, text, jsonb, jsonb, boolean),
        heliosdb.enable_cdc_connector(text, boolean, boolean),
        heliosdb.set_cdc_connector(text, jsonb, boolean),
        heliosdb.drop_cdc_connector(text, boolean),
        heliosdb.replay_cdc_connector(text, pg_lsn, boolean),
        heliosdb.resume_cdc_connector(text, boolean, boolean)
        TO heliosdb_admin;
    END IF;
  END $$`;
