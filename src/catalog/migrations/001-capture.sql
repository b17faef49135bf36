-- The control plane of change data capture: what is wanted (capture, readers), what is known for
-- good (installation, capture_state), and what was seen last (UNLOGGED: it costs no WAL, is not
-- captured, and may be lost).

CREATE TABLE heliosdb.installation (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  system_id text NOT NULL,
  database_oid oid NOT NULL,
  adopted_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE heliosdb.capture (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  -- NULL: nobody has said; a node with --capture on then says yes.
  enabled boolean,
  options jsonb NOT NULL DEFAULT '{}',
  excluded_columns text[] NOT NULL DEFAULT '{}',
  -- The epoch whose gap may be skipped; a later gap needs another word.
  skip_gap_of integer
);
INSERT INTO heliosdb.capture DEFAULT VALUES;

CREATE TABLE heliosdb.capture_state (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  -- Grows with each change of owner: whoever writes here names the one it was given.
  term bigint NOT NULL DEFAULT 0,
  owner uuid,
  -- Of the changes: grows when LSNs may not continue.
  epoch integer NOT NULL DEFAULT 0,
  slot name,
  timeline integer,
  -- The term under which the slot was served last: the log of that term has all that the slot forgot.
  served_term bigint NOT NULL DEFAULT 0,
  -- Grows while changes are captured; a log that has seen a later one tells that this was restored.
  beat bigint NOT NULL DEFAULT 0,
  -- Where the epoch begins, and what is missing before it.
  epoch_start pg_lsn,
  gap_from pg_lsn,
  gap_to pg_lsn,
  gap_reason text
);
INSERT INTO heliosdb.capture_state DEFAULT VALUES;

CREATE UNLOGGED TABLE heliosdb.capture_status (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  state text NOT NULL,
  node uuid NOT NULL,
  log_start pg_lsn,
  log_end pg_lsn,
  durable pg_lsn,
  confirmed pg_lsn,
  log_bytes bigint NOT NULL,
  changes bigint NOT NULL,
  error_code text,
  error text,
  hint text,
  updated_at timestamptz NOT NULL
);

CREATE UNLOGGED TABLE heliosdb.nodes (
  node uuid PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  roles text[] NOT NULL,
  version text NOT NULL,
  -- Where other nodes read its change log.
  log_address text,
  started_at timestamptz NOT NULL,
  heartbeat_at timestamptz NOT NULL
);

CREATE TABLE heliosdb.readers (
  name text PRIMARY KEY,
  kind text NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  state text NOT NULL DEFAULT 'running',
  -- The last change it has dealt with.
  epoch integer NOT NULL,
  lsn pg_lsn NOT NULL,
  seq bigint NOT NULL,
  failing_since timestamptz,
  error_code text,
  error text,
  hint text
);

CREATE TABLE heliosdb.audit (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  role name NOT NULL DEFAULT session_user,
  client inet DEFAULT inet_client_addr(),
  command text NOT NULL,
  detail jsonb
);

CREATE FUNCTION heliosdb.note_command(command text, detail jsonb, topic text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO heliosdb.audit (command, detail) VALUES (command, detail);
  SELECT pg_notify('heliosdb', topic);
$$;

CREATE PROCEDURE heliosdb.enable_capture()
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('wal_level') <> 'logical' THEN
    RAISE EXCEPTION USING ERRCODE = '55000',
      MESSAGE = 'change data capture needs wal_level = logical',
      DETAIL = format('The server has wal_level = %s.', current_setting('wal_level')),
      HINT = 'ALTER SYSTEM SET wal_level = logical, then restart the server.';
  END IF;
  UPDATE heliosdb.capture SET enabled = true;
  PERFORM heliosdb.note_command('ALTER CDC CAPTURE ENABLE', NULL, 'capture');
END $$;

CREATE PROCEDURE heliosdb.disable_capture()
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE heliosdb.capture SET enabled = false;
  PERFORM heliosdb.note_command('ALTER CDC CAPTURE DISABLE', NULL, 'capture');
END $$;

CREATE PROCEDURE heliosdb.resume_capture(skip_gap boolean DEFAULT false)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  current heliosdb.capture_state;
BEGIN
  SELECT INTO current s.* FROM heliosdb.capture_state AS s;
  IF current.gap_reason IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'change data capture has no gap to skip';
  END IF;
  IF NOT skip_gap THEN
    RAISE EXCEPTION USING ERRCODE = '55000',
      MESSAGE = 'change data capture cannot go on without a gap',
      DETAIL = current.gap_reason,
      HINT = 'ALTER CDC CAPTURE RESUME SKIP GAP goes on; changes in between are missing.';
  END IF;
  UPDATE heliosdb.capture SET skip_gap_of = current.epoch;
  PERFORM heliosdb.note_command('ALTER CDC CAPTURE RESUME SKIP GAP',
    jsonb_build_object('epoch', current.epoch, 'reason', current.gap_reason), 'capture');
END $$;

CREATE PROCEDURE heliosdb.set_capture_options(changed jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE heliosdb.capture SET options = jsonb_strip_nulls(options || changed);
  PERFORM heliosdb.note_command('ALTER CDC CAPTURE SET', changed, 'capture');
END $$;

-- The name of a column with its schema and table, each quoted, and as long as a name can be.
CREATE FUNCTION heliosdb.column_name(VARIADIC parts text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg('"' || replace(part::name::text, '"', '""') || '"', '.' ORDER BY n)
    FROM unnest(CASE cardinality(parts) WHEN 2 THEN ARRAY['public'] || parts ELSE parts END)
      WITH ORDINALITY AS p (part, n)
$$;

CREATE PROCEDURE heliosdb.exclude_columns(names text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text[] := ARRAY(
    SELECT heliosdb.column_name(VARIADIC parse_ident(name)) FROM unnest(names) AS name);
BEGIN
  -- Of a name that was taken in again what it meant then does not count any more.
  DELETE FROM heliosdb.excluded_attributes AS e USING heliosdb.capture AS k
   WHERE e.name = ANY (said) AND NOT e.name = ANY (k.excluded_columns);
  UPDATE heliosdb.capture SET excluded_columns = ARRAY(
    SELECT unnest(excluded_columns) UNION SELECT unnest(said) ORDER BY 1);
  PERFORM heliosdb.remember_excluded(said);
  PERFORM heliosdb.note_command('ALTER CDC CAPTURE EXCLUDE', to_jsonb(names), 'capture');
END $$;

CREATE PROCEDURE heliosdb.include_columns(names text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  words text[] := (SELECT excluded_columns FROM heliosdb.capture FOR UPDATE);
  name text;
BEGIN
  FOREACH name IN ARRAY names LOOP
    words := heliosdb.forget_excluded(heliosdb.column_name(VARIADIC parse_ident(name)), words);
  END LOOP;
  UPDATE heliosdb.capture SET excluded_columns =
    ARRAY(SELECT DISTINCT word FROM unnest(words) AS word ORDER BY word);
  PERFORM heliosdb.remember_excluded(words);
  PERFORM heliosdb.note_command('ALTER CDC CAPTURE INCLUDE', to_jsonb(names), 'capture');
END $$;

-- A clone or a restore keeps silent until somebody says that it is meant to be captured.
CREATE PROCEDURE heliosdb.adopt()
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE heliosdb.installation SET
    system_id = (SELECT system_identifier::text FROM pg_control_system()),
    database_oid = (SELECT oid FROM pg_database WHERE datname = current_database()),
    adopted_at = now();
  -- What its log and its slot held belongs to where it came from.
  UPDATE heliosdb.capture_state SET slot = NULL, owner = NULL, timeline = NULL, term = term + 1,
    served_term = 0,
    gap_from = NULL, gap_to = NULL, gap_reason = NULL, epoch_start = NULL;
  PERFORM heliosdb.note_command('CALL heliosdb.adopt()', NULL, 'capture');
END $$;

-- Whether capture may begin because somebody asks for changes.
CREATE FUNCTION heliosdb.capture_wish() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE enabled WHEN true THEN 'on' WHEN false THEN 'off' ELSE 'undecided' END
    FROM heliosdb.capture
$$;

-- How far the WAL was read, for everybody: what it says is no secret.
CREATE FUNCTION heliosdb.captured_lsn() RETURNS pg_lsn
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.write_lsn
    FROM pg_replication_slots AS s
    JOIN pg_stat_replication AS r ON r.pid = s.active_pid
   WHERE s.slot_name = (SELECT slot FROM heliosdb.capture_state)
$$;

-- Keeps a backend busy, without a snapshot that would hold back vacuum, until the capture has gone
-- beyond an LSN or a second is over: so that a client that follows changes is cancelled and
-- disconnected by Postgres's own means.
CREATE PROCEDURE heliosdb.park(beyond pg_lsn)
LANGUAGE plpgsql AS $$
DECLARE
  -- A procedure that commits cannot pin search_path, so all is qualified.
  until pg_catalog.timestamptz :=
    pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) '1 second'::pg_catalog.interval;
BEGIN
  WHILE pg_catalog.clock_timestamp() OPERATOR(pg_catalog.<) until LOOP
    IF heliosdb.captured_lsn() OPERATOR(pg_catalog.>) beyond THEN RETURN; END IF;
    COMMIT;
    PERFORM pg_catalog.pg_sleep(0.01);
    COMMIT;
  END LOOP;
END $$;

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

-- The end of the log is what the owner tells the server with each status update, where that can be
-- seen, and not what it was up to a second ago: what is confirmed is as of now, and would be beyond it.
CREATE VIEW heliosdb.cdc_status AS
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

CREATE VIEW heliosdb.cdc_readers AS
SELECT r.name AS reader, r.kind, r.enabled, r.state, r.epoch, r.lsn, r.seq,
  CASE WHEN r.epoch = s.epoch
    THEN greatest(0, pg_wal_lsn_diff(greatest(o.log_end, heliosdb.captured_lsn()), r.lsn))
  END::bigint AS lag_bytes,
  r.enabled AND r.state <> 'gap' AND r.epoch = s.epoch AS holds,
  r.failing_since, r.error, r.hint
 FROM heliosdb.readers AS r
CROSS JOIN heliosdb.capture_state AS s
 LEFT JOIN heliosdb.capture_status AS o ON true;

REVOKE ALL ON ALL TABLES IN SCHEMA heliosdb FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA heliosdb FROM PUBLIC;
GRANT USAGE ON SCHEMA heliosdb TO PUBLIC;
GRANT EXECUTE ON FUNCTION heliosdb.captured_lsn(), heliosdb.capture_wish(),
  heliosdb.capture_failure(), heliosdb.column_name(text[]) TO PUBLIC;
GRANT EXECUTE ON PROCEDURE heliosdb.park(pg_lsn) TO PUBLIC;
GRANT SELECT ON heliosdb.cdc_status, heliosdb.cdc_readers TO pg_monitor;
