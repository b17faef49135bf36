-- The end of the log as the owner tells the server with each status update, where that can be seen,
-- and not as it was up to a second ago: what is confirmed is as of now, and would be beyond it.

CREATE OR REPLACE VIEW heliosdb.cdc_status AS
SELECT current_database() AS "database",
  CASE
    WHEN c.enabled IS NOT TRUE THEN 'off'
    WHEN n.heartbeat_at IS NULL OR n.heartbeat_at < now() - INTERVAL '15 seconds' THEN 'stopped'
    ELSE coalesce(o.state, 'starting')
  END AS state,
  s.slot, s.epoch, coalesce(n.host || ':' || n.pid, s.owner::text) AS node,
  o.log_start, l.log_end,
  -- An owner confirms what its log has. A slot that nobody reads may have been moved beyond that,
  -- which is a gap, and is to be seen.
  CASE WHEN r.active AND o.state = 'streaming' THEN least(r.confirmed_flush_lsn, l.log_end)
    ELSE r.confirmed_flush_lsn END AS confirmed,
  CASE WHEN NOT pg_is_in_recovery()
    THEN pg_wal_lsn_diff(pg_current_wal_lsn(), r.confirmed_flush_lsn) END::bigint AS lag_bytes,
  CASE WHEN NOT pg_is_in_recovery()
    THEN pg_wal_lsn_diff(pg_current_wal_lsn(), r.restart_lsn) END::bigint AS retained_wal_bytes,
  o.log_bytes, o.changes,
  (SELECT count(*)::integer FROM heliosdb.readers) AS readers,
  CASE WHEN s.gap_reason IS NOT NULL AND o.error IS NULL THEN s.gap_reason ELSE o.error END AS error,
  o.hint, o.updated_at
 FROM heliosdb.capture AS c
CROSS JOIN heliosdb.capture_state AS s
 LEFT JOIN heliosdb.capture_status AS o ON true
 LEFT JOIN heliosdb.nodes AS n ON n.node = s.owner
 LEFT JOIN pg_replication_slots AS r ON r.slot_name = s.slot
CROSS JOIN LATERAL (
  -- Unless it streams, whoever reads from the slot is somebody else.
  SELECT CASE WHEN o.state = 'streaming' THEN greatest(o.log_end, heliosdb.captured_lsn())
           ELSE o.log_end END AS log_end) AS l;

CREATE OR REPLACE VIEW heliosdb.cdc_readers AS
SELECT r.name AS reader, r.kind, r.enabled, r.state, r.epoch, r.lsn, r.seq,
  CASE WHEN r.epoch = s.epoch
    THEN greatest(0, pg_wal_lsn_diff(greatest(o.log_end, heliosdb.captured_lsn()), r.lsn))
  END::bigint AS lag_bytes,
  r.enabled AND r.state <> 'gap' AND r.epoch = s.epoch AS holds,
  r.failing_since, r.error, r.hint
 FROM heliosdb.readers AS r
CROSS JOIN heliosdb.capture_state AS s
 LEFT JOIN heliosdb.capture_status AS o ON true;
