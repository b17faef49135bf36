import { PgError } from '../core/errors/pg-error.ts';
import type { Connection } from '../postgres/connection.ts';

/** Who captures a database, or did so last. */
export type LogOwner = {
  /** Grows with each change of owner. */
  readonly term: number;
  readonly node: string;
  readonly host: string | undefined;
  /** Where it serves its log to others; undefined while it has not said. */
  readonly logAddress: string | undefined;
};

const logSecret = 'log-stream';
/** SQLSTATEs of a database without our schema, or with an older one. */
const notThere = /^(?:42P01|3F000)$/;

/** Undefined when nobody has captured anything. @throws PgError */
export async function readLogOwner(connection: Connection): Promise<LogOwner | undefined> {
  const [row] = await whenThere(
    connection.query(
      `SELECT s.term, s.owner, n.host, n.log_address
         FROM heliosdb.capture_state AS s LEFT JOIN heliosdb.nodes AS n ON n.node = s.owner`,
    ),
  );
  if (row?.['owner'] === undefined || row['owner'] === null) return undefined;
  return {
    term: Number(row['term']),
    node: String(row['owner']),
    host: textOf(row['host']),
    logAddress: textOf(row['log_address']),
  };
}

/** What nodes of this database prove to each other that they know; undefined while there is none. */
export async function readLogSecret(connection: Connection): Promise<Buffer | undefined> {
  const [row] = await whenThere(
    connection.query('SELECT value FROM heliosdb.secrets WHERE name = $1', [logSecret]),
  );
  return row === undefined ? undefined : (row['value'] as Buffer);
}

/** Made by the server, so that it is in no statement and no parameter that a server logs. */
export async function ensureLogSecret(connection: Connection): Promise<void> {
  await connection.query(
    `INSERT INTO heliosdb.secrets (name, value)
     SELECT $1, pg_catalog.sha256(
              pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
              || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
              || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()))
     ON CONFLICT DO NOTHING`,
    [logSecret],
  );
}

async function whenThere<T>(rows: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await rows;
  } catch (error) {
    if (error instanceof PgError && notThere.test(error.code)) return [];
    throw error;
  }
}

function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}
