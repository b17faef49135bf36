-- A column is kept out of the log from the commit on that says so, and the WAL may be read much
-- later: each word is kept with the transaction that said it, and a message goes into the WAL in
-- order with the rows. Anybody may write such a message; it counts when the word is here.

CREATE TABLE heliosdb.capture_exclusions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL,
  -- How far the WAL was written; the commit is behind it.
  lsn pg_lsn NOT NULL,
  -- All that are kept out from there on.
  columns text[] NOT NULL
);
CREATE INDEX ON heliosdb.capture_exclusions (xid);

INSERT INTO heliosdb.capture_exclusions (xid, lsn, columns)
SELECT '0', '0/0', excluded_columns FROM heliosdb.capture;

-- What the names meant when they were said: a column that is called otherwise later stays out.
CREATE TABLE heliosdb.excluded_attributes (
  relid oid NOT NULL,
  attnum smallint NOT NULL,
  -- One of those that are kept out.
  name text NOT NULL,
  PRIMARY KEY (relid, attnum)
);

-- Every column that could be meant, as it is called now.
CREATE FUNCTION heliosdb.columns_called(name text)
RETURNS TABLE (relid oid, attnum smallint, is_of_partition boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.attrelid, a.attnum, c.relispartition
    FROM parse_ident(name) AS part
    JOIN pg_namespace AS n ON n.nspname = part[1]
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = part[2]
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = part[3]
   WHERE a.attnum > 0 AND NOT a.attisdropped
$$;

-- Remembers which columns the names mean, and writes only what is new: who alters tables at the same
-- time would wait for it.
CREATE FUNCTION heliosdb.remember_excluded(names text[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM heliosdb.excluded_attributes AS e
   WHERE NOT e.name = ANY (names) OR NOT EXISTS (
     SELECT FROM pg_attribute AS a
      WHERE a.attrelid = e.relid AND a.attnum = e.attnum AND NOT a.attisdropped);
  INSERT INTO heliosdb.excluded_attributes AS e (relid, attnum, name)
  SELECT c.relid, c.attnum, said.name
    FROM unnest(names) AS said (name) CROSS JOIN heliosdb.columns_called(said.name) AS c
   WHERE NOT EXISTS (SELECT FROM heliosdb.excluded_attributes AS e
     WHERE (e.relid, e.attnum, e.name) = (c.relid, c.attnum, said.name))
      ON CONFLICT (relid, attnum) DO UPDATE SET name = EXCLUDED.name;
$$;

-- Keeps out what is called otherwise now, under its new name too. The old one stays: the next table
-- may get it.
CREATE FUNCTION heliosdb.follow_excluded() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  renamed text[];
BEGIN
  -- Nobody has to wait for anything where nothing is kept out.
  IF (SELECT excluded_columns = '{}' FROM heliosdb.capture) THEN RETURN; END IF;
  renamed := ARRAY(
    SELECT now.name
      FROM heliosdb.excluded_attributes AS e
      JOIN pg_class AS c ON c.oid = e.relid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_attribute AS a ON a.attrelid = e.relid AND a.attnum = e.attnum AND NOT a.attisdropped
     CROSS JOIN heliosdb.column_name(n.nspname, c.relname, a.attname) AS now (name)
     WHERE now.name <> e.name);
  IF renamed <> '{}' THEN
    UPDATE heliosdb.capture SET excluded_columns =
      ARRAY(SELECT unnest(excluded_columns) UNION SELECT unnest(renamed) ORDER BY 1);
    -- Without the NOTIFY of other commands, which a transaction that is prepared may not have.
    INSERT INTO heliosdb.audit (command, detail)
    VALUES ('ALTER CDC CAPTURE EXCLUDE', to_jsonb(renamed));
  END IF;
  PERFORM heliosdb.remember_excluded(excluded_columns) FROM heliosdb.capture;
END $$;

CREATE FUNCTION heliosdb.note_exclusions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said text;
BEGIN
  FOR said IN
    SELECT unnest(NEW.excluded_columns) EXCEPT SELECT unnest(OLD.excluded_columns) ORDER BY 1
  LOOP
    -- It may be made later; or its name was mistyped.
    IF NOT EXISTS (SELECT FROM heliosdb.columns_called(said)) THEN
      RAISE NOTICE USING MESSAGE = format('column %s does not exist', said),
        DETAIL = 'It is kept out of the change log as soon as there is one.';
    ELSIF EXISTS (SELECT FROM heliosdb.columns_called(said) AS c WHERE c.is_of_partition) THEN
      RAISE NOTICE USING MESSAGE = format('column %s is one of a partition', said),
        DETAIL = 'Changes of partitions come as those of their root.',
        HINT = 'Exclude the column of the root.';
    END IF;
  END LOOP;
  PERFORM heliosdb.remember_excluded(NEW.excluded_columns);
  INSERT INTO heliosdb.capture_exclusions (xid, lsn, columns)
  VALUES (pg_current_xact_id(), pg_current_wal_insert_lsn(), NEW.excluded_columns);
  PERFORM pg_logical_emit_message(true, 'heliosdb',
    convert_to(jsonb_build_object('excludedColumns', NEW.excluded_columns)::text, 'UTF8'));
  RETURN NULL;
END $$;

CREATE TRIGGER note_exclusions AFTER UPDATE ON heliosdb.capture FOR EACH ROW
WHEN (OLD.excluded_columns IS DISTINCT FROM NEW.excluded_columns)
EXECUTE FUNCTION heliosdb.note_exclusions();
ALTER TABLE heliosdb.capture ENABLE ALWAYS TRIGGER note_exclusions;

-- Elsewhere WAL and transaction ids begin elsewhere, and tables have other oids.
CREATE FUNCTION heliosdb.forget_where_excluded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE heliosdb.capture_exclusions SET xid = '0', lsn = '0/0';
  DELETE FROM heliosdb.excluded_attributes;
  PERFORM heliosdb.remember_excluded(excluded_columns) FROM heliosdb.capture;
  RETURN NULL;
END $$;

CREATE TRIGGER forget_where_excluded AFTER UPDATE ON heliosdb.installation FOR EACH ROW
WHEN ((OLD.system_id, OLD.database_oid) IS DISTINCT FROM (NEW.system_id, NEW.database_oid))
EXECUTE FUNCTION heliosdb.forget_where_excluded();
ALTER TABLE heliosdb.installation ENABLE ALWAYS TRIGGER forget_where_excluded;

REVOKE ALL ON heliosdb.capture_exclusions, heliosdb.excluded_attributes FROM PUBLIC;
REVOKE ALL ON FUNCTION heliosdb.columns_called(text), heliosdb.remember_excluded(text[]),
  heliosdb.follow_excluded(), heliosdb.note_exclusions(), heliosdb.forget_where_excluded()
  FROM PUBLIC;
