-- Notices what changes tables without a change of its own (design, section 7), in the transaction
-- that does it: the publications follow, and a message goes into the WAL in order with the rows.
-- The triggers are made when capture begins, where the server lets us.

CREATE FUNCTION heliosdb.schema_changed(
  command text, relid oid, table_schema text, table_name text, rewrites boolean
) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_logical_emit_message(true, 'heliosdb', jsonb_build_object(
    'command', command, 'tableOid', relid::bigint, 'schema', table_schema, 'name', table_name,
    'rewritesRows', rewrites)::text)
$$;

CREATE FUNCTION heliosdb.on_ddl_command() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  done record;
BEGIN
  PERFORM heliosdb.sync_publications(ARRAY(
    SELECT DISTINCT coalesce(pg_partition_root(d.objid), d.objid)
      FROM pg_event_trigger_ddl_commands() AS d WHERE d.classid = 'pg_class'::regclass));
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

CREATE FUNCTION heliosdb.on_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone record;
BEGIN
  -- Without the index that identified its rows a table must not stay where updates are published.
  IF tg_tag = 'DROP INDEX' THEN PERFORM heliosdb.sync_publications(); END IF;
  FOR gone IN
    SELECT d.objid, d.schema_name, d.object_name FROM pg_event_trigger_dropped_objects() AS d
     WHERE d.object_type = 'table' AND NOT d.is_temporary AND d.schema_name <> 'heliosdb'
  LOOP
    PERFORM heliosdb.schema_changed('DROP TABLE', gone.objid, gone.schema_name, gone.object_name,
      true);
  END LOOP;
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

REVOKE ALL ON FUNCTION heliosdb.schema_changed(text, oid, text, text, boolean),
  heliosdb.on_ddl_command(), heliosdb.on_drop(), heliosdb.on_rewrite() FROM PUBLIC;
