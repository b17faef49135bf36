import {
  databaseNotAdopted,
  encodingNotCapturable,
  walLevelNotLogical,
} from '../core/errors/capture.ts';
import type { Connection } from '../postgres/connection.ts';

/** The database a catalog is in. */
export type DatabaseIdentity = {
  readonly systemId: string;
  readonly databaseOid: number;
  readonly database: string;
};

/**
 * Binds the catalog to the server and database it is in, the first time; a copy of it elsewhere is
 * refused until somebody adopts it, so that a clone does not deliver to where the original does.
 *
 * @throws PgError 55000, 0A000
 */
export async function bindInstallation(connection: Connection): Promise<DatabaseIdentity> {
  const [row] = await connection.query(
    `SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS system_id,
            d.oid::bigint AS oid, d.datname, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
            pg_catalog.current_setting('wal_level') AS wal_level
       FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()`,
  );
  if (row?.['wal_level'] !== 'logical') throw walLevelNotLogical(String(row?.['wal_level']));
  if (row['encoding'] === 'SQL_ASCII') throw encodingNotCapturable('SQL_ASCII');
  const systemId = String(row['system_id']);
  const databaseOid = Number(row['oid']);
  await connection.query(
    `INSERT INTO heliosdb.installation (system_id, database_oid) VALUES ($1, $2)
     ON CONFLICT DO NOTHING`,
    [systemId, databaseOid],
  );
  const [bound] = await connection.query(
    'SELECT system_id, database_oid::bigint AS oid FROM heliosdb.installation',
  );
  const boundId = String(bound?.['system_id']);
  const boundOid = Number(bound?.['oid']);
  if (boundId !== systemId || boundOid !== databaseOid) {
    throw databaseNotAdopted(
      `database ${boundOid} of server ${boundId}`,
      `database ${databaseOid} of server ${systemId}`,
    );
  }
  return { systemId, databaseOid, database: String(row['datname']) };
}
