import type { Connection } from '../postgres/connection.ts';
import { takeoverAfterMs } from './limits.ts';

/** Both halves of the key of the lock: the first is HeliosDB's, the second says what it is for. */
const lockClass = 1_212_501_065;
const captureLock = 1;
const lockKey = `${lockClass}, ${captureLock}`;

/**
 * Who does the capture of a database: whoever holds this advisory lock, which ends with its
 * connection. An owner whose heart has stopped while its connection has not is disconnected.
 */
export class Ownership {
  readonly #connection: Connection;
  readonly #node: string;

  constructor(connection: Connection, node: string) {
    this.#connection = connection;
    this.#node = node;
  }

  /** Answers at once. */
  async acquire(): Promise<boolean> {
    const [row] = await this.#connection.query(
      `SELECT pg_catalog.pg_try_advisory_lock(${lockKey}) AS got`,
    );
    if (row?.['got'] === true) return true;
    await this.#endStalled();
    return false;
  }

  async release(): Promise<void> {
    await this.#connection
      .query(`SELECT pg_catalog.pg_advisory_unlock(${lockKey})`)
      .catch(() => undefined);
  }

  /** Its walsender too, so that the slot is free for the next owner. */
  async #endStalled(): Promise<void> {
    await this.#connection.query(
      `SELECT pg_catalog.pg_terminate_backend(held.pid)
         FROM heliosdb.capture_state AS s JOIN heliosdb.nodes AS n ON n.node = s.owner
        CROSS JOIN LATERAL (
           SELECT l.pid FROM pg_catalog.pg_locks AS l
            WHERE l.locktype = 'advisory' AND l.granted
              AND l.database = (SELECT oid FROM pg_catalog.pg_database
                                 WHERE datname = pg_catalog.current_database())
              AND l.classid = ${lockClass} AND l.objid = ${captureLock} AND l.objsubid = 2
           UNION ALL
           SELECT r.active_pid FROM pg_catalog.pg_replication_slots AS r
            WHERE r.slot_name = s.slot AND r.active_pid IS NOT NULL) AS held
        WHERE n.heartbeat_at < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1)
          AND s.owner <> $2`,
      [takeoverAfterMs / 1_000, this.#node],
    );
  }
}
