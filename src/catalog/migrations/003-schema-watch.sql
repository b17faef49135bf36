-- Notices what changes tables without a change of its own (design, section 7), in the transaction
-- that does it: the publications follow, and a message goes into the WAL in order with the rows.
-- The triggers are made when capture begins, where the server lets us.

-- The server sends a message of a transaction in progress without its subtransaction, so that nobody
-- could tell whether a ROLLBACK TO took it back. A row says in which one this is.
CREATE UNLOGGED TABLE heliosdb.subtransaction ();

CREATE FUNCTION heliosdb.schema_changed(
  command text, relid oid, table_schema text, table_name text, rewrites boolean
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  subxid xid;
  place tid;
BEGIN
  INSERT INTO heliosdb.subtransaction DEFAULT VALUES RETURNING xmin, ctid INTO subxid, place;
  DELETE FROM heliosdb.subtransaction WHERE ctid = place;
  PERFORM pg_logical_emit_message(true, 'heliosdb', convert_to(jsonb_build_object(
    'command', command, 'tableOid', relid::bigint, 'schema', table_schema, 'name', table_name,
    'rewritesRows', rewrites, 'subxid', subxid::text::bigint)::text, 'UTF8'));
  -- The server sorts a message by where it ends, which is where the next change begins that may come
  -- from another subtransaction: so that the two are not the same, there is something in between.
  PERFORM pg_logical_emit_message(true, 'heliosdb', '');
END $$;

CREATE FUNCTION heliosdb.on_ddl_command() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  done record;
BEGIN
  -- A partition that is detached is not named, and a table of its own from now on.
  PERFORM heliosdb.sync_publications(CASE
    WHEN NOT EXISTS (SELECT FROM pg_event_trigger_ddl_commands() AS d
        JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
       WHERE c.relkind = 'p' AND d.command_tag = 'ALTER TABLE')
    THEN ARRAY(SELECT DISTINCT coalesce(pg_partition_root(d.objid), d.objid)
                 FROM pg_event_trigger_ddl_commands() AS d
                WHERE d.classid = 'pg_class'::regclass)
    END);
  FOR done IN
    SELECT DISTINCT d.command_tag, c.oid, n.nspname, c.relname, c.relkind
      FROM pg_event_trigger_ddl_commands() AS d
      JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname <> 'heliosdb'
  LOOP
    -- A partition that is attached or detached brings or takes rows that no change speaks of.
    PERFORM heliosdb.schema_changed(done.command_tag, done.oid, done.nspname, done.relname,
      done.relkind = 'p' AND done.command_tag = 'ALTER TABLE');
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  -- The user's own statement never fails because of us; the next poll sees what is to be done.
  RAISE WARNING USING MESSAGE = 'heliosdb could not follow a schema change', DETAIL = SQLERRM;
END $$;

-- What is dropped with something else may have been what identified rows.
CREATE FUNCTION heliosdb.on_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  gone record;
  unidentified oid[];
BEGIN
  BEGIN
    FOR gone IN
      SELECT d.objid, d.schema_name, d.object_name FROM pg_event_trigger_dropped_objects() AS d
       WHERE d.object_type = 'table' AND NOT d.is_temporary AND d.schema_name <> 'heliosdb'
    LOOP
      PERFORM heliosdb.schema_changed('DROP TABLE', gone.objid, gone.schema_name,
        gone.object_name, true);
    END LOOP;
  EXCEPTION WHEN OTHERS THEN
    RAISE WARNING USING MESSAGE = 'heliosdb could not follow a schema change', DETAIL = SQLERRM;
  END;
  -- Without the index that identified its rows a table must not stay where updates are published.
  IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() AS d
      WHERE d.object_type IN ('index', 'table constraint', 'table column')
        AND NOT d.is_temporary) THEN
    unidentified := heliosdb.unidentified_tables();
    IF unidentified <> '{}' THEN PERFORM heliosdb.sync_publications(unidentified); END IF;
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING USING MESSAGE = 'heliosdb could not follow a schema change', DETAIL = SQLERRM;
END $$;

CREATE FUNCTION heliosdb.on_rewrite() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM heliosdb.schema_changed(tg_tag, c.oid, n.nspname, c.relname, true)
     FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = pg_event_trigger_table_rewrite_oid() AND c.relpersistence = 'p'
      AND n.nspname <> 'heliosdb';
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING USING MESSAGE = 'heliosdb could not follow a schema change', DETAIL = SQLERRM;
END $$;

-- Where no event trigger can be made: looks whether tables are what they were, and says so in the
-- WAL, later than it happened.
CREATE TABLE heliosdb.table_fingerprints (
  relid oid PRIMARY KEY,
  table_schema name NOT NULL,
  table_name name NOT NULL,
  -- Of the columns, and of what holds the rows.
  columns text NOT NULL,
  storage text NOT NULL
);

CREATE FUNCTION heliosdb.watch_tables() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  seen record;
  found_changes integer := 0;
BEGIN
  FOR seen IN
    WITH now AS (
      SELECT p.relid, p.table_schema, p.table_name,
        (SELECT coalesce(string_agg(format('%s %s %s', a.attname, a.atttypid, a.atttypmod), ','
                  ORDER BY a.attnum), '')
           FROM pg_attribute AS a
          WHERE a.attrelid = p.relid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
        (SELECT string_agg(pg_relation_filenode(c.oid)::text, ',' ORDER BY c.oid)
           FROM pg_class AS c
          WHERE c.oid = p.relid
             OR c.oid IN (SELECT leaf FROM heliosdb.partitions_of(p.relid) AS leaf)) AS storage
        FROM heliosdb.table_plan() AS p)
    SELECT n.relid AS new_relid, f.relid AS old_relid,
           coalesce(n.relid, f.relid) AS relid,
           coalesce(n.table_schema, f.table_schema) AS table_schema,
           coalesce(n.table_name, f.table_name) AS table_name,
           n.columns, coalesce(n.storage, '') AS storage,
           n.storage IS DISTINCT FROM f.storage AS rewrites
      FROM now AS n FULL JOIN heliosdb.table_fingerprints AS f ON f.relid = n.relid
     WHERE n.relid IS NULL OR f.relid IS NULL
        OR (n.table_schema, n.table_name, n.columns, coalesce(n.storage, ''))
           IS DISTINCT FROM (f.table_schema, f.table_name, f.columns, f.storage)
  LOOP
    IF seen.new_relid IS NULL THEN
      DELETE FROM heliosdb.table_fingerprints WHERE relid = seen.relid;
    ELSE
      INSERT INTO heliosdb.table_fingerprints (relid, table_schema, table_name, columns, storage)
      VALUES (seen.relid, seen.table_schema, seen.table_name, seen.columns, seen.storage)
      ON CONFLICT (relid) DO UPDATE SET table_schema = EXCLUDED.table_schema,
        table_name = EXCLUDED.table_name, columns = EXCLUDED.columns, storage = EXCLUDED.storage;
    END IF;
    PERFORM heliosdb.schema_changed(
      CASE WHEN seen.old_relid IS NULL THEN 'CREATE TABLE'
           WHEN seen.new_relid IS NULL THEN 'DROP TABLE' ELSE 'ALTER TABLE' END,
      seen.relid, seen.table_schema, seen.table_name,
      seen.old_relid IS NOT NULL AND seen.rewrites);
    found_changes := found_changes + 1;
  END LOOP;
  RETURN found_changes;
END $$;

REVOKE ALL ON heliosdb.table_fingerprints FROM PUBLIC;
REVOKE ALL ON FUNCTION heliosdb.watch_tables(),
  heliosdb.schema_changed(text, oid, text, text, boolean),
  heliosdb.on_ddl_command(), heliosdb.on_drop(), heliosdb.on_rewrite() FROM PUBLIC;
