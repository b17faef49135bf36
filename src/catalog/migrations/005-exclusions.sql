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

CREATE FUNCTION heliosdb.note_exclusions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  column_name text;
  parts text[];
BEGIN
  -- It may be made later; or its name was mistyped.
  FOR column_name IN
    SELECT unnest(NEW.excluded_columns) EXCEPT SELECT unnest(OLD.excluded_columns) ORDER BY 1
  LOOP
    parts := parse_ident(column_name, false);
    IF cardinality(parts) = 2 THEN parts := 'public' || parts; END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute AS a
         JOIN pg_class AS c ON c.oid = a.attrelid
         JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE (n.nspname, c.relname, a.attname) = (parts[1], parts[2], parts[3])
          AND a.attnum > 0 AND NOT a.attisdropped) THEN
      RAISE NOTICE USING MESSAGE = format('column %s does not exist', column_name),
        DETAIL = 'It is kept out of the change log as soon as there is one.';
    END IF;
  END LOOP;
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

-- On another server WAL and transaction ids begin elsewhere.
CREATE FUNCTION heliosdb.forget_where_excluded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE heliosdb.capture_exclusions SET xid = '0', lsn = '0/0';
  RETURN NULL;
END $$;

CREATE TRIGGER forget_where_excluded AFTER UPDATE ON heliosdb.installation FOR EACH ROW
WHEN (OLD.system_id IS DISTINCT FROM NEW.system_id)
EXECUTE FUNCTION heliosdb.forget_where_excluded();
ALTER TABLE heliosdb.installation ENABLE ALWAYS TRIGGER forget_where_excluded;

REVOKE ALL ON heliosdb.capture_exclusions FROM PUBLIC;
REVOKE ALL ON FUNCTION heliosdb.note_exclusions(), heliosdb.forget_where_excluded() FROM PUBLIC;
