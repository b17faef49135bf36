-- Connectors: what is wanted of each, who delivers, and how each is doing. Each reads the log as a
-- reader of its own (heliosdb.readers), which is made with it, so that nothing behind it is missed.

CREATE TABLE heliosdb.connectors (
  name text PRIMARY KEY,
  -- A connector that is dropped and made again under its name is another one.
  id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  type text NOT NULL,
  -- It sees what this role may SELECT.
  owner name NOT NULL,
  -- NULL: all. Otherwise [{"oid": ..., "columns": [...] or null}].
  tables jsonb,
  -- Texts, and {"env": name} or {"file": path} where a secret is.
  options jsonb NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  -- Its first change is behind the commit of this transaction; NULL once that was passed.
  starts_behind xid8 DEFAULT pg_current_xact_id(),
  -- Grows with each change of what is wanted.
  version integer NOT NULL DEFAULT 1
);

-- Who delivers: the same rules as for capture_state.
CREATE TABLE heliosdb.delivery_state (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  term bigint NOT NULL DEFAULT 0,
  owner uuid
);
INSERT INTO heliosdb.delivery_state DEFAULT VALUES;

-- Which types there are and what options each takes: written by the nodes, which know.
CREATE TABLE heliosdb.connector_options (
  type text NOT NULL,
  option text NOT NULL,
  expected text NOT NULL,
  is_needed boolean NOT NULL,
  is_secret boolean NOT NULL,
  PRIMARY KEY (type, option)
);

CREATE UNLOGGED TABLE heliosdb.connector_status (
  id uuid PRIMARY KEY,
  delivered bigint NOT NULL,
  retries bigint NOT NULL,
  updated_at timestamptz NOT NULL
);

-- Says in the WAL, in order with the rows, what becomes of a connector; the transaction is known by
-- it in the log, where what is delivered begins behind it.
CREATE FUNCTION heliosdb.connector_changed(command text, connector text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  SELECT heliosdb.schema_changed(command, 0, 'heliosdb', connector, false);
  SELECT heliosdb.note_command(command, to_jsonb(connector), 'connectors');
$$;

CREATE FUNCTION heliosdb.connector_reader(connector text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT 'connector ' || connector $$;

CREATE FUNCTION heliosdb.check_connector_options(wanted_type text, options jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text;
BEGIN
  -- No node that knows has been here yet; the one that comes says what is wrong.
  IF NOT EXISTS (SELECT FROM heliosdb.connector_options) THEN RETURN; END IF;
  IF NOT EXISTS (SELECT FROM heliosdb.connector_options AS o WHERE o.type = wanted_type) THEN
    RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = format('unrecognized type of connector "%s"', wanted_type),
      HINT = format('Valid types are %s.', (SELECT string_agg(DISTINCT o.type, ', ')
        FROM heliosdb.connector_options AS o));
  END IF;
  SELECT key INTO wrong FROM jsonb_object_keys(options) AS key
   WHERE NOT EXISTS (SELECT FROM heliosdb.connector_options AS o
     WHERE (o.type, o.option) = (wanted_type, key)) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = format('unrecognized %s connector option "%s"', wanted_type, wrong),
      HINT = format('Valid options are %s.', (SELECT string_agg(o.option, ', ' ORDER BY o.option)
        FROM heliosdb.connector_options AS o WHERE o.type = wanted_type));
  END IF;
  SELECT o.option INTO wrong FROM heliosdb.connector_options AS o
   WHERE o.type = wanted_type AND o.is_needed AND NOT options ? o.option
   ORDER BY o.option LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = format('a %s connector needs option "%s"', wanted_type, wrong),
      HINT = (SELECT format('WITH (%s = %s).', o.option, o.expected)
        FROM heliosdb.connector_options AS o WHERE (o.type, o.option) = (wanted_type, wrong));
  END IF;
END $$;

-- The tables and columns that are chosen: each is there, and may be read by whoever asks.
CREATE FUNCTION heliosdb.connector_tables(chosen jsonb, reader name) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one jsonb;
  relation regclass;
  column_name text;
  meant jsonb := '[]';
BEGIN
  IF chosen IS NULL THEN RETURN NULL; END IF;
  FOR one IN SELECT * FROM jsonb_array_elements(chosen) LOOP
    relation := (one->>'oid')::oid::regclass;
    IF NOT EXISTS (SELECT FROM heliosdb.table_plan(ARRAY[relation::oid])) THEN
      RAISE EXCEPTION USING ERRCODE = '42809',
        MESSAGE = format('changes of %s are not captured', relation),
        HINT = 'Name a table: no view, foreign, unlogged or temporary table, and of partitions the root.';
    END IF;
    IF meant @> jsonb_build_array(jsonb_build_object('oid', relation::oid::bigint)) THEN
      RAISE EXCEPTION USING ERRCODE = '42712',
        MESSAGE = format('table %s is named more than once', relation), HINT = 'Name it once.';
    END IF;
    FOR column_name IN SELECT jsonb_array_elements_text(coalesce(nullif(one->'columns', 'null'), '[]'))
    LOOP
      IF NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation
          AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE EXCEPTION USING ERRCODE = '42703',
          MESSAGE = format('column "%s" of relation %s does not exist', column_name, relation);
      END IF;
    END LOOP;
    IF NOT has_table_privilege(reader, relation, 'SELECT') AND NOT has_any_column_privilege(
        reader, relation, 'SELECT') THEN
      RAISE EXCEPTION USING ERRCODE = '42501',
        MESSAGE = format('permission denied for table %s', relation),
        HINT = format('GRANT SELECT ON %s TO %I.', relation, reader);
    END IF;
    meant := meant || jsonb_build_object('oid', relation::oid::bigint, 'columns', one->'columns');
  END LOOP;
  RETURN meant;
END $$;

-- A connector begins with the statement that makes it: nothing of what is behind may be missing.
CREATE FUNCTION heliosdb.expect_capture() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM heliosdb.capture_state AS s CROSS JOIN heliosdb.capture AS c
      WHERE s.epoch > 0 AND s.slot IS NOT NULL AND c.enabled) THEN
    RETURN;
  END IF;
  RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = 'changes of this database are not captured',
    HINT = 'ALTER CDC CAPTURE ENABLE begins that; go on when SHOW CDC STATUS says streaming.';
END $$;

CREATE PROCEDURE heliosdb.create_cdc_connector(
  name text, type text, tables jsonb DEFAULT NULL, options jsonb DEFAULT '{}',
  if_not_exists boolean DEFAULT false
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  state heliosdb.capture_state;
  meant jsonb;
BEGIN
  IF EXISTS (SELECT FROM heliosdb.connectors AS c WHERE c.name = create_cdc_connector.name) THEN
    IF if_not_exists THEN
      RAISE NOTICE USING ERRCODE = '42710',
        MESSAGE = format('connector "%s" already exists, skipping', name);
      RETURN;
    END IF;
    RAISE EXCEPTION USING ERRCODE = '42710', MESSAGE = format('connector "%s" already exists', name),
      HINT = 'DROP CDC CONNECTOR first, or ALTER it.';
  END IF;
  PERFORM heliosdb.check_connector_options(type, options);
  PERFORM heliosdb.expect_capture();
  meant := heliosdb.connector_tables(tables, session_user);
  INSERT INTO heliosdb.connectors (name, type, owner, tables, options)
  VALUES (name, type, session_user, meant, options);
  SELECT INTO state s.* FROM heliosdb.capture_state AS s;
  INSERT INTO heliosdb.readers (name, kind, epoch, lsn, seq)
  VALUES (heliosdb.connector_reader(name), 'connector', state.epoch, pg_current_wal_insert_lsn(), -1);
  PERFORM heliosdb.connector_changed('CREATE CDC CONNECTOR', name);
EXCEPTION WHEN unique_violation THEN
  -- Somebody made it at the same moment.
  RAISE EXCEPTION USING ERRCODE = '42710', MESSAGE = format('connector "%s" already exists', name),
    HINT = 'DROP CDC CONNECTOR first, or ALTER it.';
END $$;

-- Whether it is there and the asking role may change it; an error where it may not be missing.
CREATE FUNCTION heliosdb.is_own_connector(connector text, if_exists boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  its_owner name;
BEGIN
  SELECT c.owner INTO its_owner FROM heliosdb.connectors AS c WHERE c.name = connector FOR UPDATE;
  IF NOT FOUND THEN
    IF if_exists THEN
      RAISE NOTICE USING MESSAGE = format('connector "%s" does not exist, skipping', connector);
      RETURN false;
    END IF;
    RAISE EXCEPTION USING ERRCODE = '42704',
      MESSAGE = format('connector "%s" does not exist', connector),
      HINT = 'SHOW CDC CONNECTORS lists those there are.';
  END IF;
  -- It reads with its owner's rights, wherever it is made to deliver to.
  IF session_user <> its_owner AND NOT (SELECT r.rolsuper FROM pg_roles AS r
      WHERE r.rolname = session_user)
    AND NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = its_owner
      AND pg_has_role(session_user, r.oid, 'MEMBER')) THEN
    RAISE EXCEPTION USING ERRCODE = '42501',
      MESSAGE = format('must be owner of connector %s', connector),
      HINT = format('Its owner is %I.', its_owner);
  END IF;
  RETURN true;
END $$;

CREATE PROCEDURE heliosdb.enable_cdc_connector(
  name text, enable boolean DEFAULT true, if_exists boolean DEFAULT false
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF NOT heliosdb.is_own_connector(name, if_exists) THEN RETURN; END IF;
  UPDATE heliosdb.connectors AS c SET enabled = enable, version = c.version + 1 WHERE c.name = name;
  UPDATE heliosdb.readers AS r SET enabled = enable
   WHERE r.name = heliosdb.connector_reader(name);
  PERFORM heliosdb.connector_changed('ALTER CDC CONNECTOR', name);
END $$;

CREATE PROCEDURE heliosdb.set_cdc_connector(
  name text, changed jsonb, if_exists boolean DEFAULT false
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  now heliosdb.connectors;
BEGIN
  IF NOT heliosdb.is_own_connector(name, if_exists) THEN RETURN; END IF;
  SELECT INTO now c.* FROM heliosdb.connectors AS c WHERE c.name = name;
  now.options := jsonb_strip_nulls(now.options || changed);
  PERFORM heliosdb.check_connector_options(now.type, now.options);
  UPDATE heliosdb.connectors AS c SET options = now.options, version = c.version + 1
   WHERE c.name = name;
  PERFORM heliosdb.connector_changed('ALTER CDC CONNECTOR', name);
END $$;

CREATE PROCEDURE heliosdb.drop_cdc_connector(name text, if_exists boolean DEFAULT false)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF NOT heliosdb.is_own_connector(name, if_exists) THEN RETURN; END IF;
  DELETE FROM heliosdb.connector_status AS s USING heliosdb.connectors AS c
   WHERE s.id = c.id AND c.name = name;
  DELETE FROM heliosdb.connectors AS c WHERE c.name = name;
  DELETE FROM heliosdb.readers AS r WHERE r.name = heliosdb.connector_reader(name);
  PERFORM heliosdb.connector_changed('DROP CDC CONNECTOR', name);
END $$;

-- Once more from an LSN that the log still has.
CREATE PROCEDURE heliosdb.replay_cdc_connector(
  name text, from_lsn pg_lsn, if_exists boolean DEFAULT false
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  log_start pg_lsn;
BEGIN
  IF NOT heliosdb.is_own_connector(name, if_exists) THEN RETURN; END IF;
  SELECT INTO log_start s.log_start FROM heliosdb.capture_status AS s;
  IF from_lsn < log_start THEN
    RAISE EXCEPTION USING ERRCODE = '22023',
      MESSAGE = format('the change log starts at %s', log_start),
      HINT = 'Changes before it are gone; replay from there.';
  END IF;
  UPDATE heliosdb.readers AS r SET state = 'running', lsn = from_lsn, seq = -1,
      epoch = (SELECT s.epoch FROM heliosdb.capture_state AS s)
   WHERE r.name = heliosdb.connector_reader(name);
  UPDATE heliosdb.connectors AS c SET starts_behind = NULL, version = c.version + 1
   WHERE c.name = name;
  PERFORM heliosdb.connector_changed('ALTER CDC CONNECTOR', name);
END $$;

-- Goes on behind what is missing.
CREATE PROCEDURE heliosdb.resume_cdc_connector(
  name text, skip_gap boolean DEFAULT false, if_exists boolean DEFAULT false
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  reader heliosdb.readers;
BEGIN
  IF NOT heliosdb.is_own_connector(name, if_exists) THEN RETURN; END IF;
  SELECT INTO reader r.* FROM heliosdb.readers AS r
   WHERE r.name = heliosdb.connector_reader(name);
  IF reader.state <> 'gap' THEN
    RAISE EXCEPTION USING ERRCODE = '55000',
      MESSAGE = format('connector "%s" has no gap to skip', name);
  END IF;
  IF NOT skip_gap THEN
    RAISE EXCEPTION USING ERRCODE = '55000',
      MESSAGE = format('connector "%s" cannot go on without a gap', name), DETAIL = reader.error,
      HINT = format('ALTER CDC CONNECTOR %I RESUME SKIP GAP goes on; changes in between are missing.',
        name);
  END IF;
  -- Epoch 0: from the first change that the log has.
  UPDATE heliosdb.readers AS r SET state = 'running', epoch = 0, lsn = '0/0', seq = -1,
      error = NULL, error_code = NULL, hint = NULL, failing_since = NULL
   WHERE r.name = reader.name;
  UPDATE heliosdb.connectors AS c SET starts_behind = NULL, version = c.version + 1
   WHERE c.name = name;
  PERFORM heliosdb.connector_changed('ALTER CDC CONNECTOR', name);
END $$;

CREATE FUNCTION heliosdb.known_connector(connector text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM heliosdb.connectors AS c WHERE c.name = connector) THEN
    RETURN connector;
  END IF;
  RAISE EXCEPTION USING ERRCODE = '42704',
    MESSAGE = format('connector "%s" does not exist', connector),
    HINT = 'SHOW CDC CONNECTORS lists those there are.';
END $$;

CREATE VIEW heliosdb.cdc_connectors AS
SELECT c.name AS connector, c.type,
  CASE
    WHEN NOT c.enabled THEN 'disabled'
    WHEN r.state = 'gap' THEN 'gap'
    WHEN r.error_code IS NOT NULL THEN 'failing'
    WHEN s.id IS NULL OR s.updated_at < now() - INTERVAL '15 seconds' THEN 'starting'
    ELSE 'running'
  END AS state,
  c.owner,
  CASE WHEN c.tables IS NOT NULL THEN ARRAY(
    SELECT (t->>'oid')::oid::regclass::text FROM jsonb_array_elements(c.tables) AS t) END AS tables,
  -- A text is shown only where somebody knows that it is no secret.
  (SELECT coalesce(jsonb_object_agg(given.key,
       CASE WHEN jsonb_typeof(given.value) <> 'string' OR NOT k.is_secret THEN given.value
         ELSE '"***"' END), '{}')
     FROM jsonb_each(c.options) AS given
     LEFT JOIN heliosdb.connector_options AS k ON (k.type, k.option) = (c.type, given.key)) AS options,
  r.epoch, r.lsn, r.seq,
  CASE WHEN r.epoch = e.epoch
    THEN greatest(0, pg_wal_lsn_diff(greatest(o.log_end, heliosdb.captured_lsn()), r.lsn))
  END::bigint AS lag_bytes,
  coalesce(s.delivered, 0) AS delivered, coalesce(s.retries, 0) AS retries,
  r.error_code, r.error, r.hint, s.updated_at
 FROM heliosdb.connectors AS c
 JOIN heliosdb.readers AS r ON r.name = heliosdb.connector_reader(c.name)
CROSS JOIN heliosdb.capture_state AS e
 LEFT JOIN heliosdb.capture_status AS o ON true
 LEFT JOIN heliosdb.connector_status AS s ON s.id = c.id;

REVOKE ALL ON heliosdb.connectors, heliosdb.delivery_state, heliosdb.connector_options,
  heliosdb.connector_status, heliosdb.cdc_connectors FROM PUBLIC;
REVOKE ALL ON FUNCTION heliosdb.connector_changed(text, text), heliosdb.connector_reader(text),
  heliosdb.expect_capture(), heliosdb.check_connector_options(text, jsonb), heliosdb.connector_tables(jsonb, name),
  heliosdb.is_own_connector(text, boolean), heliosdb.known_connector(text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE heliosdb.create_cdc_connector(text, text, jsonb, jsonb, boolean),
  heliosdb.enable_cdc_connector(text, boolean, boolean),
  heliosdb.set_cdc_connector(text, jsonb, boolean), heliosdb.drop_cdc_connector(text, boolean),
  heliosdb.replay_cdc_connector(text, pg_lsn, boolean),
  heliosdb.resume_cdc_connector(text, boolean, boolean) FROM PUBLIC;
GRANT SELECT ON heliosdb.cdc_connectors TO pg_monitor;
GRANT EXECUTE ON FUNCTION heliosdb.connector_reader(text), heliosdb.known_connector(text)
  TO pg_monitor;
