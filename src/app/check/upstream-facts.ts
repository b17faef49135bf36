import { withClient } from '../../postgres/client.ts';
import { probeUpstream, type UpstreamProbe } from '../../postgres/probe-upstream.ts';
import type { Upstream } from '../config/upstream.ts';

/** What a server says about itself to the user it was asked as. */
export type UpstreamFacts = {
  readonly probe: UpstreamProbe;
  /** Absent when it did not let us in. */
  readonly server?: ServerFacts;
};

export type ServerFacts = {
  readonly version: string;
  readonly versionNumber: number;
  readonly isStandby: boolean;
  readonly isEncrypted: boolean;
  readonly walLevel: string;
  readonly slotsMax: number;
  readonly slotsUsed: number;
  /** The slot that captures this database is one of them. */
  readonly hasOwnSlot: boolean;
  readonly sendersMax: number;
  readonly sendersUsed: number;
  /** The one that serves that slot is among them. */
  readonly hasOwnSender: boolean;
  readonly mayReplicate: boolean;
  readonly isSuperuser: boolean;
  /** The schema heliosdb is there, or could be made. */
  readonly mayMakeSchema: boolean;
  /** The role heliosdb_admin is there, or could be made. */
  readonly mayMakeAdmin: boolean;
  readonly database: string;
  readonly encoding: string;
  /** WAL the server keeps for slots, MB; -1 without a limit. */
  readonly slotWalKeepMb: number;
};

/** Hosted services give the right to replicate through membership in a role of their own. */
const replicationRoles = ['rds_replication', 'azure_pg_admin', 'cloudsqlsuperuser'];

const question = `
  WITH own AS (
    SELECT s.active_pid FROM pg_replication_slots AS s JOIN pg_database AS d
        ON d.datname = s.database AND s.slot_name = 'heliosdb_' || d.oid
     WHERE d.datname = current_database())
  SELECT current_setting('server_version') AS version,
         current_setting('server_version_num')::int AS "versionNumber",
         pg_is_in_recovery() AS "isStandby",
         coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)
           AS "isEncrypted",
         current_setting('wal_level') AS "walLevel",
         current_setting('max_replication_slots')::int AS "slotsMax",
         (SELECT count(*)::int FROM pg_replication_slots) AS "slotsUsed",
         EXISTS (SELECT FROM own) AS "hasOwnSlot",
         current_setting('max_wal_senders')::int AS "sendersMax",
         (SELECT count(*)::int FROM pg_stat_replication) AS "sendersUsed",
         EXISTS (SELECT FROM own JOIN pg_stat_replication ON pid = active_pid) AS "hasOwnSender",
         (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user)
           OR EXISTS (SELECT FROM pg_roles
                       WHERE rolname = ANY ($1) AND pg_has_role(oid, 'member'))
           AS "mayReplicate",
         (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS "isSuperuser",
         to_regnamespace('heliosdb') IS NOT NULL
           OR has_database_privilege(current_database(), 'CREATE') AS "mayMakeSchema",
         EXISTS (SELECT FROM pg_roles WHERE rolname = 'heliosdb_admin'
                    OR rolname = current_user AND (rolsuper OR rolcreaterole)) AS "mayMakeAdmin",
         current_database() AS database,
         pg_encoding_to_char((SELECT encoding FROM pg_database
                               WHERE datname = current_database())) AS encoding,
         (SELECT setting::int FROM pg_settings WHERE name = 'max_slot_wal_keep_size')
           AS "slotWalKeepMb"`;

/** Rejects only when the server breaks off in the middle. */
export async function readUpstreamFacts(upstream: Upstream): Promise<UpstreamFacts> {
  const probe = await probeUpstream(upstream);
  if (probe.kind !== 'admitted') return { probe };
  const server = await withClient(upstream, async (client) => {
    const { rows } = await client.query<ServerFacts>(question, [replicationRoles]);
    return rows[0];
  });
  return server === undefined ? { probe } : { probe, server };
}
