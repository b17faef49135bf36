import type { Connection } from '../postgres/connection.ts';
import { heartbeatMs } from './limits.ts';
import { ensureLogSecret } from './log-owner.ts';

export type NodeIdentity = {
  /** A UUID that belongs to the data directory. */
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly roles: readonly string[];
  readonly version: string;
  /** Where other nodes read its change logs. */
  readonly logAddress: string | undefined;
};

/** Says in the catalog that this node is there. */
export class NodeRegistry {
  readonly #connection: Connection;
  readonly #node: NodeIdentity;
  #beatAt = 0;

  constructor(connection: Connection, node: NodeIdentity) {
    this.#connection = connection;
    this.#node = node;
  }

  async register(): Promise<void> {
    await this.#connection.query(
      `DELETE FROM heliosdb.nodes WHERE heartbeat_at < clock_timestamp() - INTERVAL '1 day'`,
    );
    const { id, host, pid, roles, version, logAddress } = this.#node;
    await this.#connection.query(
      `INSERT INTO heliosdb.nodes AS n
         (node, host, pid, roles, version, log_address, started_at, heartbeat_at)
       VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp())
       ON CONFLICT (node) DO UPDATE SET host = EXCLUDED.host, pid = EXCLUDED.pid,
         roles = EXCLUDED.roles, version = EXCLUDED.version, log_address = EXCLUDED.log_address,
         started_at = EXCLUDED.started_at, heartbeat_at = EXCLUDED.heartbeat_at`,
      [id, host, pid, roles, version, logAddress ?? null],
    );
    if (logAddress !== undefined) await ensureLogSecret(this.#connection);
  }

  /** The table is UNLOGGED: after a crash of the server this node is not in it any more. */
  async beat(): Promise<void> {
    if (performance.now() - this.#beatAt < heartbeatMs) return;
    this.#beatAt = performance.now();
    const rows = await this.#connection.query(
      `UPDATE heliosdb.nodes SET heartbeat_at = pg_catalog.clock_timestamp()
        WHERE node = $1 RETURNING true AS there`,
      [this.#node.id],
    );
    if (rows.length === 0) await this.register();
  }
}
