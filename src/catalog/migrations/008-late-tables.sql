-- A transaction that makes a table has the publications locked until it ends. Nobody waits for it:
-- the updates of another table are published later then, which is said, and in the WAL too, for rows
-- may have changed without a change of their own.

-- Of a table that has to leave the publication of updates and cannot: its updates work all the same.
CREATE FUNCTION heliosdb.identify_by_all(root oid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  member record;
BEGIN
  FOR member IN
    SELECT c.oid::regclass AS relation
      FROM pg_class AS c
     WHERE (c.oid = root OR c.oid IN (SELECT relid FROM pg_partition_tree(root)))
       AND c.relkind IN ('r', 'p') AND NOT heliosdb.has_identity(c.oid)
  LOOP
    EXECUTE format('ALTER TABLE ONLY %s REPLICA IDENTITY FULL', member.relation);
    RAISE WARNING USING
      MESSAGE = format('table %s has REPLICA IDENTITY FULL now', member.relation),
      DETAIL = 'Without one its updates would fail while another transaction has the publication locked.',
      HINT = 'When that has ended, REPLICA IDENTITY DEFAULT takes it back.';
  END LOOP;
EXCEPTION WHEN OTHERS THEN NULL; -- The next look takes it out of the publication.
END $$;

-- Brings both publications up to the plan, for these tables or for all; answers how many changed.
CREATE OR REPLACE FUNCTION heliosdb.sync_publications(only_tables oid[] DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  publication record;
  step record;
  steps integer := 0;
BEGIN
  FOR publication IN
    SELECT p.oid, p.pubname, p.pubupdate FROM pg_publication AS p
     WHERE p.pubname IN ('heliosdb_inserts', 'heliosdb_updates') AND NOT p.puballtables
  LOOP
    FOR step IN
      SELECT CASE WHEN listed.prrelid IS NULL THEN 'ADD' ELSE 'DROP' END AS verb,
             c.oid::regclass AS relation, c.oid AS relid
        FROM (SELECT prrelid FROM pg_publication_rel WHERE prpubid = publication.oid
                 AND (only_tables IS NULL OR prrelid = ANY (only_tables))) AS listed
        FULL JOIN (SELECT relid FROM heliosdb.table_plan(only_tables)
                    WHERE ours AND (identified OR NOT publication.pubupdate)) AS planned
          ON planned.relid = listed.prrelid
        JOIN pg_class AS c ON c.oid = coalesce(planned.relid, listed.prrelid)
       WHERE planned.relid IS NULL OR listed.prrelid IS NULL
    LOOP
      BEGIN
        EXECUTE format('ALTER PUBLICATION %I %s TABLE ONLY %s',
          publication.pubname, step.verb, step.relation);
        IF step.verb = 'ADD' THEN
          INSERT INTO heliosdb.captured_tables AS t (relid, since)
          VALUES (step.relid, pg_current_wal_insert_lsn())
          ON CONFLICT (relid) DO UPDATE SET since = greatest(t.since, EXCLUDED.since);
        ELSIF publication.pubupdate THEN
          DELETE FROM heliosdb.captured_tables WHERE relid = step.relid;
        END IF;
        steps := steps + 1;
      EXCEPTION
        -- Locked, dropped or already dealt with by somebody else at this moment: the others all the
        -- same, this one the next time.
        WHEN lock_not_available THEN
          -- Published and without an identity its updates would fail.
          IF step.verb = 'DROP' AND publication.pubupdate THEN
            PERFORM heliosdb.identify_by_all(step.relid);
          END IF;
        WHEN undefined_table OR undefined_object OR duplicate_object OR unique_violation
          OR internal_error OR object_not_in_prerequisite_state THEN NULL;
      END;
    END LOOP;
  END LOOP;
  RETURN steps;
END $$;

CREATE FUNCTION heliosdb.unpublished_updates() RETURNS SETOF oid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.relid FROM heliosdb.table_plan() AS p
   WHERE p.ours AND p.identified AND NOT EXISTS (
     SELECT FROM pg_publication AS b JOIN pg_publication_rel AS r ON r.prpubid = b.oid
      WHERE b.pubname = 'heliosdb_updates' AND r.prrelid = p.relid)
$$;

-- Publishes what was not published in time; answers whether something is left.
CREATE FUNCTION heliosdb.publish_late_tables() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  late oid[] := ARRAY(SELECT heliosdb.unpublished_updates());
BEGIN
  PERFORM heliosdb.sync_publications();
  IF late = '{}' THEN RETURN false; END IF;
  PERFORM heliosdb.schema_changed('ALTER TABLE', c.oid, n.nspname, c.relname, true)
     FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = ANY (late) AND c.oid NOT IN (SELECT heliosdb.unpublished_updates());
  RETURN EXISTS (SELECT heliosdb.unpublished_updates());
END $$;

CREATE OR REPLACE VIEW heliosdb.cdc_tables AS
SELECT p.table_schema, p.table_name,
  CASE WHEN inserts.listed THEN ARRAY['INSERT', 'TRUNCATE'] ELSE '{}' END
    || CASE WHEN updates.listed THEN ARRAY['UPDATE', 'DELETE'] ELSE '{}' END AS operations,
  CASE WHEN inserts.listed OR updates.listed THEN t.since END AS since,
  CASE
    WHEN NOT (p.ours OR inserts.listed)
      THEN 'the role of --upstream does not own the table'
    WHEN NOT p.identified
      THEN 'it has no replica identity: updates and deletes are not captured'
    WHEN NOT updates.listed
      THEN 'updates and deletes are not captured yet'
  END AS problem,
  CASE
    WHEN NOT (p.ours OR inserts.listed)
      THEN 'Make it the owner, or give --upstream a superuser.'
    WHEN NOT p.identified
      THEN format('ALTER TABLE %I.%I ADD PRIMARY KEY (...), or REPLICA IDENTITY FULL.',
        p.table_schema, p.table_name)
    WHEN NOT updates.listed
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

-- What is dropped with something else may have been what identified rows.
CREATE OR REPLACE FUNCTION heliosdb.on_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  gone record;
BEGIN
  -- Without the index that identified its rows a table must not stay where updates are published.
  IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() AS d
      WHERE d.object_type IN ('index', 'table constraint', 'table column')) THEN
    PERFORM heliosdb.sync_publications();
  END IF;
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

REVOKE ALL ON FUNCTION heliosdb.identify_by_all(oid), heliosdb.unpublished_updates(),
  heliosdb.publish_late_tables() FROM PUBLIC;
