import type { Connection } from '../postgres/connection.ts';
import { takeoverAfterMs } from './limits.ts';

/** Both halves of the key of the lock: the first is HeliosDB's, the second says what it is for. */
const lockClass = 1_212_501_065;
const walsender = `UNION ALL SELECT r.active_pid FROM pg_catalog.pg_replication_slots AS r
  WHERE r.slot_name = s.slot AND r.active_pid IS NOT NULL`;
const locks = { capture: 1, delivery: 2 } as const;

/**
 * Who does the capture of a database, or delivers to its connectors: whoever holds this advisory
 * lock, which ends with its connection. An owner whose heart has stopped while its connection has
 * not is disconnected.
 */
export class Ownership {
  readonly #connection: Connection;
  readonly #node: string;
  readonly #of: keyof typeof locks;
  readonly #lockKey: string;

  constructor(connection: Connection, node: string, of: keyof typeof locks = 'capture') {
    this.#connection = connection;
    this.#node = node;
    this.#of = of;
    this.#lockKey = `${lockClass}, ${locks[of]}`;
  }

  /** Answers at once. */
  async acquire(): Promise<boolean> {
    const [row] = await this.#connection.query(
      `SELECT pg_catalog.pg_try_advisory_lock(${this.#lockKey}) AS got`,
    );
    if (row?.['got'] === true) return true;
    await this.#endStalled();
    return false;
  }

  async release(): Promise<void> {
    await this.#connection
      .query(`SELECT pg_catalog.pg_advisory_unlock(${this.#lockKey})`)
      .catch(() => undefined);
  }

  /** Its walsender too, so that the slot is free for the next owner. */
  async #endStalled(): Promise<void> {
    await this.#connection.query(
      `SELECT pg_catalog.pg_terminate_backend(held.pid)
         FROM heliosdb.${this.#of}_state AS s JOIN heliosdb.nodes AS n ON n.node = s.owner
        CROSS JOIN LATERAL (
           SELECT l.pid FROM pg_catalog.pg_locks AS l
            WHERE l.locktype = 'advisory' AND l.granted
              AND l.database = (SELECT oid FROM pg_catalog.pg_database
                                 WHERE datname = pg_catalog.current_database())
              AND l.classid = ${lockClass} AND l.objid = ${locks[this.#of]} AND l.objsubid = 2
           ${this.#of === 'capture' ? walsender : ''}) AS held
        WHERE n.heartbeat_at < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1)
          AND s.owner <> $2`,
      [takeoverAfterMs / 1_000, this.#node],
    );
  }
}
