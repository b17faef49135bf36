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
  readonly sendersMax: number;
  readonly sendersUsed: number;
  readonly mayReplicate: boolean;
};

/** Hosted services give the right to replicate through membership in a role of their own. */
const replicationRoles = ['rds_replication', 'azure_pg_admin', 'cloudsqlsuperuser'];

const question = `
  SELECT current_setting('server_version') AS version,
         current_setting('server_version_num')::int AS "versionNumber",
         pg_is_in_recovery() AS "isStandby",
         coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)
           AS "isEncrypted",
         current_setting('wal_level') AS "walLevel",
         current_setting('max_replication_slots')::int AS "slotsMax",
         (SELECT count(*)::int FROM pg_replication_slots) AS "slotsUsed",
         current_setting('max_wal_senders')::int AS "sendersMax",
         (SELECT count(*)::int FROM pg_stat_replication) AS "sendersUsed",
         (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user)
           OR EXISTS (SELECT FROM pg_roles
                       WHERE rolname = ANY ($1) AND pg_has_role(oid, 'member'))
           AS "mayReplicate"`;

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
