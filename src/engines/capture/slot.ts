import { capturePrivilegeMissing, noSlotFree } from '../../core/errors/capture.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { parseLsn } from '../../core/lsn.ts';
import type { Connection } from '../../postgres/connection.ts';
import type { ReplicationConnection } from '../../postgres/replication-stream.ts';
import type { SlotFacts } from './continuity.ts';

/** Names are for the whole server, so the database is in it. */
export function slotName(databaseOid: number): string {
  return `heliosdb_${databaseOid}`;
}

export async function readSlot(
  connection: Connection,
  name: string,
): Promise<SlotFacts | undefined> {
  const [row] = await connection.query(
    `SELECT confirmed_flush_lsn, wal_status, to_jsonb(s) ->> 'invalidation_reason' AS reason,
            to_jsonb(s) ->> 'conflicting' AS conflicting
       FROM pg_catalog.pg_replication_slots AS s
      WHERE slot_name = $1 AND plugin = 'pgoutput' AND database = pg_catalog.current_database()`,
    [name],
  );
  if (row === undefined) return undefined;
  const isLost = row['wal_status'] === 'lost' || row['conflicting'] === 'true';
  const reason = row['reason'] === null ? undefined : String(row['reason']);
  return {
    confirmedLsn: parseLsn(String(row['confirmed_flush_lsn'])) ?? 0n,
    lostBecause: reason ?? (isLost ? 'its WAL was removed' : undefined),
  };
}

/**
 * Makes the slot and answers from where it decodes. Waits for the transactions that write now, on
 * the replication connection, so that the other one can go on telling that this node is there. From
 * Postgres 17 on standbys keep the slot too, so that it survives a failover.
 */
export async function createSlot(
  connection: Connection,
  replication: ReplicationConnection,
  name: string,
): Promise<bigint> {
  const [version] = await connection.query(
    "SELECT pg_catalog.current_setting('server_version_num')::int AS number",
  );
  const isKept = Number(version?.['number']) >= 170_000;
  try {
    return parseLsn(await replication.createSlot(name, { failover: isKept })) ?? 0n;
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    if (error.code === '53400') throw noSlotFree(error);
    if (error.code === '42501') throw capturePrivilegeMissing(error);
    throw error;
  }
}

/** Whether the server has the slot of this database, wanted or not. */
export async function hasSlot(connection: Connection): Promise<boolean> {
  const [row] = await connection.query(
    `SELECT EXISTS (
       SELECT FROM pg_catalog.pg_replication_slots AS s JOIN pg_catalog.pg_database AS d
           ON d.datname = s.database AND s.slot_name = 'heliosdb_' || d.oid
        WHERE d.datname = pg_catalog.current_database()) AS there`,
  );
  return row?.['there'] === true;
}

export async function dropSlot(connection: Connection, name: string): Promise<void> {
  await connection.query(
    `SELECT pg_catalog.pg_drop_replication_slot(slot_name)
       FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`,
    [name],
  );
}
