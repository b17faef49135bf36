import { PgError } from '../../core/errors/pg-error.ts';
import type { Connection } from '../../postgres/connection.ts';

/** The event triggers, with what each waits for. */
const triggers = [
  {
    name: 'heliosdb_ddl_command',
    event: 'ddl_command_end',
    tags: ['CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE SCHEMA', 'ALTER TABLE'],
    call: 'heliosdb.on_ddl_command()',
  },
  {
    name: 'heliosdb_drop',
    event: 'sql_drop',
    // Tables, and whatever can take the index with it that identifies their rows.
    tags: [
      ...['DROP TABLE', 'DROP SCHEMA', 'DROP INDEX', 'DROP OWNED', 'DROP EXTENSION', 'DROP TYPE'],
      ...['DROP DOMAIN', 'DROP COLLATION', 'DROP OPERATOR CLASS', 'DROP OPERATOR FAMILY'],
      ...['DROP FUNCTION', 'DROP ROUTINE', 'DROP LANGUAGE', 'DROP ACCESS METHOD'],
    ],
    call: 'heliosdb.on_drop()',
  },
  {
    name: 'heliosdb_rewrite',
    event: 'table_rewrite',
    tags: [],
    call: 'heliosdb.on_rewrite()',
  },
] as const;

/** Makes the triggers of the schema watch; false where the server does not let us. */
export async function ensureSchemaWatch(connection: Connection): Promise<boolean> {
  try {
    for (const { name, event, tags, call } of triggers) {
      const [there] = await connection.query(
        `SELECT evttags IS NOT DISTINCT FROM nullif($2::text[], '{}') AS is_same
           FROM pg_catalog.pg_event_trigger WHERE evtname = $1`,
        [name, tags],
      );
      if (there?.['is_same'] === true) continue;
      // An earlier version knew of fewer.
      if (there !== undefined) await connection.query(`DROP EVENT TRIGGER ${name}`);
      const list = tags.map((tag) => `'${tag}'`).join(', ');
      const when = tags.length === 0 ? '' : `WHEN TAG IN (${list})`;
      await connection.query(
        `CREATE EVENT TRIGGER ${name} ON ${event} ${when} EXECUTE FUNCTION ${call}`,
      );
      // For those too who load or apply data with session_replication_role = replica.
      await connection.query(`ALTER EVENT TRIGGER ${name} ENABLE ALWAYS`);
    }
    return true;
  } catch (error) {
    if (error instanceof PgError && error.code === '42501') return false;
    throw error;
  }
}

export async function dropSchemaWatch(connection: Connection): Promise<void> {
  for (const { name } of triggers) {
    await connection.query(`DROP EVENT TRIGGER IF EXISTS ${name}`).catch(() => undefined);
  }
}
