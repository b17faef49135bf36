import { currentEpoch, type LogState } from '../../changelog/log-state.ts';
import type { CaptureMeasure } from '../../contracts/capture-metrics.ts';
import { printLsn } from '../../core/lsn.ts';
import type { Connection } from '../../postgres/connection.ts';

export type Measured = {
  readonly slot: string;
  readonly log: LogState | undefined;
  /** Of the log, as far as it was written in memory. */
  readonly endLsn: bigint | undefined;
  readonly readers: number | undefined;
};

/** What is to be measured of a capture, also of one that does not go on. */
export async function measureCapture(
  connection: Connection,
  { slot, log, endLsn, readers }: Measured,
): Promise<CaptureMeasure> {
  const [row] = await connection.query(
    `SELECT pg_wal_lsn_diff(lsn, $1)::float8 AS lag,
            pg_wal_lsn_diff(lsn, (SELECT restart_lsn FROM pg_replication_slots
                                   WHERE slot_name = $2))::float8 AS retained
       FROM (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                         ELSE pg_current_wal_lsn() END AS lsn) AS now`,
    [endLsn === undefined ? null : printLsn(endLsn), slot],
  );
  const lag = bytesOf(row?.['lag']);
  return {
    epoch: log === undefined ? undefined : currentEpoch(log).epoch,
    logBytes: log?.bytes,
    logChanges: log?.changes,
    // A server that was restored is behind its log.
    lagBytes: lag === undefined ? undefined : Math.max(0, lag),
    retainedBytes: bytesOf(row?.['retained']),
    readers,
  };
}

function bytesOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
