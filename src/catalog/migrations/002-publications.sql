-- Which tables are captured, and the two publications that say so to the server: one of inserts and
-- truncates, one of updates and deletes, which may hold only tables with a usable replica identity.
-- In the wrong one a table would make its owner's own UPDATE fail.

-- Since when the updates of a table are captured, when that was not from its beginning.
CREATE TABLE heliosdb.captured_tables (
  relid oid PRIMARY KEY,
  since pg_lsn NOT NULL
);

CREATE FUNCTION heliosdb.has_identity(relid oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE c.relreplident
    WHEN 'f' THEN NOT EXISTS (
      -- An identity with columns that are never published makes updates fail.
      SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attgenerated = 'v')
    WHEN 'n' THEN false
    ELSE EXISTS (
      SELECT FROM pg_index AS i
       WHERE i.indrelid = c.oid AND i.indimmediate AND i.indisvalid
         AND CASE c.relreplident WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END)
    END
    FROM pg_class AS c WHERE c.oid = relid
$$;

CREATE FUNCTION heliosdb.table_plan(only_tables oid[] DEFAULT NULL)
RETURNS TABLE (relid oid, table_schema name, table_name name, identified boolean, ours boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.oid, n.nspname, c.relname,
    CASE c.relkind
      WHEN 'p' THEN NOT EXISTS (
        SELECT FROM pg_partition_tree(c.oid) AS leaf
         WHERE (leaf.isleaf OR leaf.relid = c.oid) AND NOT heliosdb.has_identity(leaf.relid))
      ELSE heliosdb.has_identity(c.oid)
    END,
    pg_has_role(c.relowner, 'USAGE')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
   WHERE (only_tables IS NULL OR c.oid = ANY (only_tables))
     AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
     AND n.nspname NOT IN ('heliosdb', 'pg_catalog', 'information_schema')
     AND n.nspname !~ '^pg_(toast|temp)'
$$;

-- Brings both publications up to the plan, for these tables or for all; answers how many changed.
CREATE FUNCTION heliosdb.sync_publications(only_tables oid[] DEFAULT NULL) RETURNS integer
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
        WHEN lock_not_available OR undefined_table OR undefined_object OR duplicate_object
          OR unique_violation OR internal_error OR object_not_in_prerequisite_state THEN NULL;
      END;
    END LOOP;
  END LOOP;
  RETURN steps;
END $$;

CREATE VIEW heliosdb.cdc_tables AS
SELECT p.table_schema, p.table_name,
  CASE WHEN inserts.listed THEN ARRAY['INSERT', 'TRUNCATE'] ELSE '{}' END
    || CASE WHEN updates.listed THEN ARRAY['UPDATE', 'DELETE'] ELSE '{}' END AS operations,
  CASE WHEN inserts.listed OR updates.listed THEN t.since END AS since,
  CASE
    WHEN NOT (p.ours OR inserts.listed)
      THEN 'the role of --upstream does not own the table'
    WHEN NOT p.identified
      THEN 'it has no replica identity: updates and deletes are not captured'
  END AS problem,
  CASE
    WHEN NOT (p.ours OR inserts.listed)
      THEN 'Make it the owner, or give --upstream a superuser.'
    WHEN NOT p.identified
      THEN format('ALTER TABLE %I.%I ADD PRIMARY KEY (...), or REPLICA IDENTITY FULL.',
        p.table_schema, p.table_name)
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

REVOKE ALL ON heliosdb.captured_tables, heliosdb.cdc_tables FROM PUBLIC;
GRANT SELECT ON heliosdb.cdc_tables TO pg_monitor;
REVOKE ALL ON FUNCTION heliosdb.sync_publications(oid[]), heliosdb.table_plan(oid[]),
  heliosdb.has_identity(oid) FROM PUBLIC;
-- The view calls it as whoever asks.
GRANT EXECUTE ON FUNCTION heliosdb.table_plan(oid[]) TO pg_monitor;
