-- What stops capture, for everybody who waits for it to begin, in the words of whoever does the work:
-- the status itself is for administrators. NULL when nothing does, as far as is known: what was
-- written before the node that wrote it began anew, or before the last order, may be mended by now,
-- and a node that has said nothing for a while tells nothing.
CREATE FUNCTION heliosdb.capture_failure() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Nothing is captured there, and UNLOGGED tables cannot be read.
  IF pg_is_in_recovery() THEN RETURN NULL; END IF;
  RETURN (
    SELECT jsonb_build_object('code', o.error_code,
        -- These name files of a machine, or nobody knows what they say.
        'error', CASE WHEN o.error_code IN ('53100', '58030', 'XX000', 'XX001')
          THEN 'capture has failed' ELSE o.error END,
        'hint', CASE WHEN o.error_code IN ('53100', '58030', 'XX000', 'XX001')
          THEN 'SHOW CDC STATUS says more to an administrator.' ELSE o.hint END)
      FROM heliosdb.capture_status AS o
      JOIN heliosdb.nodes AS n ON n.node = o.node
     WHERE o.error_code IS NOT NULL
       AND n.heartbeat_at > clock_timestamp() - INTERVAL '15 seconds'
       AND o.updated_at > n.started_at
       AND o.updated_at > coalesce(
         (SELECT a.at FROM heliosdb.audit AS a ORDER BY a.id DESC LIMIT 1), '-infinity'));
END $$;

GRANT EXECUTE ON FUNCTION heliosdb.capture_failure() TO PUBLIC;
