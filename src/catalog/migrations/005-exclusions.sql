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

-- What the names mean, as far as anybody has looked: a column that is called otherwise later stays
-- out. Whether a name counts is what the words say where the WAL is read. Nobody who alters a table
-- writes here, so that nobody waits for another.
CREATE TABLE heliosdb.excluded_attributes (
  name text NOT NULL,
  relid oid NOT NULL,
  attnum smallint NOT NULL,
  -- From `looked_lsn` on in the WAL so many columns before it are dropped, or it is itself.
  looked_lsn pg_lsn NOT NULL DEFAULT pg_current_wal_insert_lsn(),
  dropped_before smallint NOT NULL,
  is_dropped boolean NOT NULL DEFAULT false,
  PRIMARY KEY (name, relid, attnum)
);
CREATE INDEX ON heliosdb.excluded_attributes (relid);

-- The columns that a name means now; of a partitioned table those of its partitions too, which may
-- be tables of their own one day.
CREATE FUNCTION heliosdb.columns_called(name text)
RETURNS TABLE (relid oid, attnum smallint, names_partition boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH part AS MATERIALIZED (SELECT parse_ident(name) AS names),
  relation AS (
    SELECT c.oid, c.relispartition, part.names[3] AS column_name
      FROM part
      JOIN pg_namespace AS n ON n.nspname = part.names[1]
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = part.names[2])
  SELECT a.attrelid, a.attnum, r.relispartition
    FROM relation AS r
   CROSS JOIN LATERAL (SELECT r.oid UNION ALL SELECT heliosdb.partitions_of(r.oid)) AS m (relid)
    JOIN pg_attribute AS a ON a.attrelid = m.relid AND a.attname = r.column_name
   WHERE a.attnum > 0 AND NOT a.attisdropped
$$;

CREATE FUNCTION heliosdb.attribute_name(its_relid oid, its_attnum smallint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT heliosdb.column_name(n.nspname, c.relname, a.attname)
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
   WHERE a.attrelid = its_relid AND a.attnum = its_attnum AND NOT a.attisdropped
$$;

CREATE FUNCTION heliosdb.dropped_before(its_relid oid, its_attnum smallint) RETURNS smallint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*)::smallint FROM pg_attribute AS a
   WHERE a.attrelid = its_relid AND a.attnum > 0 AND a.attnum < its_attnum AND a.attisdropped
$$;

-- What the names mean that nobody has looked for yet: by name, and in the roots of what has become
-- a partition.
CREATE FUNCTION heliosdb.new_to_excluded(only_names text[] DEFAULT NULL)
RETURNS TABLE (name text, relid oid, attnum smallint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH said AS MATERIALIZED (
    SELECT word AS name FROM heliosdb.capture AS k CROSS JOIN LATERAL unnest(k.excluded_columns) AS word
     WHERE only_names IS NULL OR word = ANY (only_names)),
  meant AS (
    SELECT said.name, c.relid, c.attnum
      FROM said CROSS JOIN heliosdb.columns_called(said.name) AS c
     UNION
    SELECT e.name, a.attrelid, a.attnum
      FROM said JOIN heliosdb.excluded_attributes AS e ON e.name = said.name
      JOIN pg_class AS c ON c.oid = e.relid AND c.relispartition
      JOIN pg_attribute AS leaf ON (leaf.attrelid, leaf.attnum) = (e.relid, e.attnum)
       AND NOT leaf.attisdropped
      JOIN pg_attribute AS a ON a.attrelid = pg_partition_root(e.relid)
       AND a.attname = leaf.attname AND NOT a.attisdropped)
  SELECT m.name, m.relid, m.attnum FROM meant AS m
   WHERE NOT EXISTS (SELECT FROM heliosdb.excluded_attributes AS e
     WHERE (e.name, e.relid, e.attnum) = (m.name, m.relid, m.attnum))
$$;

-- For these names, or for all.
CREATE FUNCTION heliosdb.remember_excluded(only_names text[] DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO heliosdb.excluded_attributes (name, relid, attnum, dropped_before)
  SELECT n.name, n.relid, n.attnum, heliosdb.dropped_before(n.relid, n.attnum)
    FROM heliosdb.new_to_excluded(only_names) AS n
      ON CONFLICT DO NOTHING;
  UPDATE heliosdb.excluded_attributes AS e SET looked_lsn = DEFAULT,
     is_dropped = heliosdb.attribute_name(e.relid, e.attnum) IS NULL,
     dropped_before = heliosdb.dropped_before(e.relid, e.attnum)
   WHERE only_names IS NULL AND NOT e.is_dropped
     AND (heliosdb.attribute_name(e.relid, e.attnum) IS NULL
       OR e.dropped_before <> heliosdb.dropped_before(e.relid, e.attnum));
$$;

-- Takes names in again: what is called so now, or else what was meant by it. What else a name meant
-- stays out, under the name it has now.
CREATE FUNCTION heliosdb.forget_excluded(name text, words text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  targets heliosdb.excluded_attributes[] := ARRAY(
    SELECT ROW(name, c.relid, c.attnum, NULL, 0, false)::heliosdb.excluded_attributes
      FROM heliosdb.columns_called(name) AS c);
  word text;
  is_found boolean := false;
BEGIN
  IF targets = '{}' THEN
    targets := ARRAY(SELECT e FROM heliosdb.excluded_attributes AS e WHERE e.name = forget_excluded.name);
  END IF;
  FOR word IN
    SELECT w FROM unnest(words) AS w
     WHERE w = name OR EXISTS (SELECT FROM heliosdb.excluded_attributes AS e
       JOIN unnest(targets) AS t ON (t.relid, t.attnum) = (e.relid, e.attnum) WHERE e.name = w)
  LOOP
    is_found := true;
    IF word <> name AND EXISTS (SELECT FROM heliosdb.columns_called(word) AS c
        WHERE NOT EXISTS (SELECT FROM unnest(targets) AS t
          WHERE (t.relid, t.attnum) = (c.relid, c.attnum))) THEN
      DELETE FROM heliosdb.excluded_attributes AS e USING unnest(targets) AS t
       WHERE e.name = word AND (t.relid, t.attnum) = (e.relid, e.attnum);
    ELSE
      words := array_remove(words, word) || ARRAY(
        SELECT DISTINCT heliosdb.attribute_name(e.relid, e.attnum)
          FROM heliosdb.excluded_attributes AS e
         WHERE e.name = word AND heliosdb.attribute_name(e.relid, e.attnum) <> word
           AND NOT EXISTS (SELECT FROM unnest(targets) AS t
             WHERE (t.relid, t.attnum) = (e.relid, e.attnum)));
    END IF;
  END LOOP;
  IF NOT is_found THEN
    RAISE NOTICE USING MESSAGE = format('column %s is not excluded', name),
      HINT = 'SHOW CDC TABLES lists those that are.';
  END IF;
  RETURN words;
END $$;

-- Whether somebody has to look again what the names mean in a table and its partitions.
CREATE FUNCTION heliosdb.is_new_to_excluded(root oid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM heliosdb.new_to_excluded(ARRAY(
      SELECT word FROM heliosdb.capture AS k CROSS JOIN LATERAL unnest(k.excluded_columns) AS word
        JOIN pg_class AS c ON c.oid = root JOIN pg_namespace AS n ON n.oid = c.relnamespace
       WHERE starts_with(word, left(heliosdb.column_name(n.nspname, c.relname, 'c'), -3))
       UNION SELECT e.name FROM heliosdb.excluded_attributes AS e
       WHERE e.relid IN (SELECT heliosdb.partitions_of(root)))))
    OR EXISTS (SELECT FROM heliosdb.excluded_attributes AS e
      WHERE e.relid = root AND NOT e.is_dropped
        AND (heliosdb.attribute_name(e.relid, e.attnum) IS NULL
          OR e.dropped_before <> heliosdb.dropped_before(e.relid, e.attnum)))
$$;

-- The columns of a table that are kept out now, by the names they have now.
CREATE FUNCTION heliosdb.excluded_of(its_relid oid) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT ARRAY(
    SELECT a.attname::text FROM pg_attribute AS a CROSS JOIN heliosdb.capture AS k
     WHERE a.attrelid = its_relid AND a.attnum > 0 AND NOT a.attisdropped
       AND k.excluded_columns <> '{}'
       AND (heliosdb.attribute_name(a.attrelid, a.attnum) = ANY (k.excluded_columns)
         OR EXISTS (SELECT FROM heliosdb.excluded_attributes AS e
             WHERE (e.relid, e.attnum) = (a.attrelid, a.attnum)
               AND e.name = ANY (k.excluded_columns)))
     ORDER BY a.attnum)
$$;

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
    ELSIF EXISTS (SELECT FROM heliosdb.columns_called(said) AS c WHERE c.names_partition) THEN
      RAISE NOTICE USING MESSAGE = format('column %s is one of a partition', said),
        DETAIL = 'Changes of partitions come as those of their root.',
        HINT = 'Exclude the column of the root.';
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

-- Elsewhere WAL and transaction ids begin elsewhere, and tables have other oids.
CREATE FUNCTION heliosdb.forget_where_excluded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE heliosdb.capture_exclusions SET xid = '0', lsn = '0/0';
  DELETE FROM heliosdb.excluded_attributes;
  PERFORM heliosdb.remember_excluded();
  RETURN NULL;
END $$;

CREATE TRIGGER forget_where_excluded AFTER UPDATE ON heliosdb.installation FOR EACH ROW
WHEN ((OLD.system_id, OLD.database_oid) IS DISTINCT FROM (NEW.system_id, NEW.database_oid))
EXECUTE FUNCTION heliosdb.forget_where_excluded();
ALTER TABLE heliosdb.installation ENABLE ALWAYS TRIGGER forget_where_excluded;

-- What is captured of each table.
CREATE VIEW heliosdb.cdc_tables AS
SELECT p.table_schema, p.table_name,
  CASE WHEN inserts.listed THEN ARRAY['INSERT', 'TRUNCATE'] ELSE '{}' END
    || CASE WHEN updates.listed THEN ARRAY['UPDATE', 'DELETE'] ELSE '{}' END AS operations,
  CASE WHEN inserts.listed OR updates.listed THEN t.since END AS since,
  heliosdb.excluded_of(p.relid) AS excluded,
  CASE
    WHEN NOT (p.ours OR inserts.listed)
      THEN 'the role of --upstream does not own the table'
    WHEN NOT p.identified
      THEN 'it has no replica identity: updates and deletes are not captured'
    WHEN NOT inserts.listed
      THEN 'inserts are not captured yet'
    WHEN NOT updates.listed
      THEN 'updates and deletes are not captured yet'
  END AS problem,
  CASE
    WHEN NOT (p.ours OR inserts.listed)
      THEN 'Make it the owner, or give --upstream a superuser.'
    WHEN NOT p.identified
      THEN format('ALTER TABLE %I.%I ADD PRIMARY KEY (...), or REPLICA IDENTITY FULL.',
        p.table_schema, p.table_name)
    WHEN NOT (inserts.listed AND updates.listed)
      THEN 'A transaction that made or altered a table has the publication locked: end it.'
  END AS hint
  FROM heliosdb.table_plan() AS p
  LEFT JOIN heliosdb.captured_tables AS t ON t.relid = p.relid
 CROSS JOIN LATERAL (
    SELECT EXISTS (
      SELECT FROM pg_publication AS b
       WHERE b.pubname = 'heliosdb_inserts'
         AND (b.puballtables OR EXISTS (
           SELECT FROM pg_publication_rel AS r WHERE r.prpubid = b.oid AND r.prrelid = p.relid)))
  ) AS inserts(listed)
 CROSS JOIN LATERAL (
    SELECT EXISTS (
      SELECT FROM pg_publication AS b JOIN pg_publication_rel AS r ON r.prpubid = b.oid
       WHERE b.pubname = 'heliosdb_updates' AND r.prrelid = p.relid)
  ) AS updates(listed);

REVOKE ALL ON heliosdb.capture_exclusions, heliosdb.excluded_attributes,
  heliosdb.cdc_tables FROM PUBLIC;
REVOKE ALL ON FUNCTION heliosdb.columns_called(text), heliosdb.attribute_name(oid, smallint),
  heliosdb.dropped_before(oid, smallint), heliosdb.new_to_excluded(text[]),
  heliosdb.remember_excluded(text[]), heliosdb.forget_excluded(text, text[]),
  heliosdb.is_new_to_excluded(oid), heliosdb.excluded_of(oid),
  heliosdb.note_exclusions(), heliosdb.forget_where_excluded() FROM PUBLIC;
GRANT SELECT ON heliosdb.cdc_tables TO pg_monitor;
-- The view calls it as whoever asks.
GRANT EXECUTE ON FUNCTION heliosdb.excluded_of(oid) TO pg_monitor;
