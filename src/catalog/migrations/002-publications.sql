-- Which tables are captured, and the two publications that say so to the server: one of inserts and
-- truncates, one of updates and deletes, which may hold only tables with a usable replica identity.
-- In the wrong one a table would make its owner's own UPDATE fail.
--
-- A transaction that makes a table has the publications locked until it ends. Nobody waits for it:
-- the changes of another table are published later then, which is said, and in the WAL too, for rows
-- may have changed without a change of their own.

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

-- All partitions below a table, not what merely inherits from it. Unlike pg_partition_tree it locks
-- none of them, so that whoever has one locked is in nobody's way.
CREATE FUNCTION heliosdb.partitions_of(root oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE member AS (
    SELECT i.inhrelid FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
     WHERE i.inhparent = root AND c.relispartition
    UNION ALL
    SELECT i.inhrelid FROM pg_inherits AS i JOIN member AS m ON i.inhparent = m.inhrelid)
  SELECT inhrelid FROM member
$$;

-- Whether every row of a table, in whichever partition, can be told from the others.
CREATE FUNCTION heliosdb.is_identified(root oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT heliosdb.has_identity(root) AND NOT EXISTS (
    SELECT FROM heliosdb.partitions_of(root) AS member
      JOIN pg_class AS leaf ON leaf.oid = member AND leaf.relkind <> 'p'
     WHERE NOT heliosdb.has_identity(leaf.oid))
$$;

CREATE FUNCTION heliosdb.table_plan(only_tables oid[] DEFAULT NULL)
RETURNS TABLE (relid oid, table_schema name, table_name name, identified boolean, ours boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.oid, n.nspname, c.relname,
    heliosdb.is_identified(c.oid),
    pg_has_role(c.relowner, 'USAGE')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
   WHERE (only_tables IS NULL OR c.oid = ANY (only_tables))
     AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
     AND n.nspname NOT IN ('heliosdb', 'pg_catalog', 'information_schema')
     AND n.nspname !~ '^pg_(toast|temp)'
$$;

-- Of a table that has to leave the publication of updates and cannot: its updates work all the same.
CREATE FUNCTION heliosdb.identify_by_all(root oid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  member record;
BEGIN
  FOR member IN
    SELECT c.oid::regclass AS relation
      FROM pg_class AS c
     WHERE (c.oid = root OR c.oid IN (SELECT heliosdb.partitions_of(root)))
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

-- Whether a publication can be altered now; it stays so until the transaction ends.
CREATE FUNCTION heliosdb.can_alter_publication(publication name) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('COMMENT ON PUBLICATION %I IS NULL', publication);
  RETURN true;
EXCEPTION WHEN lock_not_available OR undefined_object OR internal_error THEN
  RETURN false;
END $$;

-- Brings both publications up to the plan, for these tables or for all; answers how many changed.
-- What waits for a lock waits for one, not for one of each table.
CREATE FUNCTION heliosdb.sync_publications(only_tables oid[] DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  publication record;
  step record;
  steps integer := 0;
  is_free boolean;
  locked_tables integer;
BEGIN
  FOR publication IN
    SELECT p.oid, p.pubname, p.pubupdate FROM pg_publication AS p
     WHERE p.pubname IN ('heliosdb_inserts', 'heliosdb_updates') AND NOT p.puballtables
  LOOP
    is_free := NULL;
    locked_tables := 0;
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
       ORDER BY 1 DESC, random()
    LOOP
      is_free := coalesce(is_free, heliosdb.can_alter_publication(publication.pubname));
      IF NOT is_free OR locked_tables >= 2 THEN
        -- Published and without an identity its updates would fail.
        IF step.verb = 'DROP' AND publication.pubupdate THEN
          PERFORM heliosdb.identify_by_all(step.relid);
        END IF;
        CONTINUE;
      END IF;
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
          locked_tables := locked_tables + 1;
          IF step.verb = 'DROP' AND publication.pubupdate THEN
            PERFORM heliosdb.identify_by_all(step.relid);
          END IF;
        WHEN undefined_table OR undefined_object OR duplicate_object OR unique_violation
          OR internal_error OR object_not_in_prerequisite_state OR insufficient_privilege
          OR invalid_parameter_value THEN NULL;
      END;
    END LOOP;
  END LOOP;
  RETURN steps;
END $$;

-- Tables whose changes are not all published although they could be.
CREATE FUNCTION heliosdb.unpublished_tables() RETURNS SETOF oid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.relid FROM heliosdb.table_plan() AS p
   WHERE p.ours AND EXISTS (
     SELECT FROM pg_publication AS b
      WHERE b.pubname IN ('heliosdb_inserts', 'heliosdb_updates') AND NOT b.puballtables
        AND (p.identified OR NOT b.pubupdate)
        AND NOT EXISTS (
          SELECT FROM pg_publication_rel AS r WHERE r.prpubid = b.oid AND r.prrelid = p.relid))
$$;

-- Publishes what was not published in time; answers whether something is left. What a transaction
-- changed before is not published although it commits behind the mark: a table is published when
-- nobody is writing to it.
CREATE FUNCTION heliosdb.publish_late_tables() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  late record;
  locked_tables integer := 0;
BEGIN
  FOR late IN
    SELECT c.oid, c.oid::regclass AS relation, n.nspname, c.relname
      FROM heliosdb.unpublished_tables() AS u JOIN pg_class AS c ON c.oid = u
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     ORDER BY random()
  LOOP
    EXIT WHEN locked_tables >= 3 OR NOT (heliosdb.can_alter_publication('heliosdb_inserts')
      AND heliosdb.can_alter_publication('heliosdb_updates'));
    BEGIN
      -- Writers that come meanwhile wait as long as this does.
      PERFORM set_config('lock_timeout', '50ms', true);
      EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', late.relation);
      PERFORM heliosdb.sync_publications(ARRAY[late.oid]);
      PERFORM heliosdb.schema_changed('ALTER TABLE', late.oid, late.nspname, late.relname, true);
    EXCEPTION
      WHEN lock_not_available THEN locked_tables := locked_tables + 1;
      WHEN undefined_table OR insufficient_privilege THEN NULL;
    END;
  END LOOP;
  -- Those that have to leave.
  PERFORM heliosdb.sync_publications();
  RETURN EXISTS (SELECT heliosdb.unpublished_tables());
END $$;

-- Tables that are published with updates and have lost what identified their rows.
CREATE FUNCTION heliosdb.unidentified_tables() RETURNS oid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(r.prrelid), '{}')
    FROM pg_publication_rel AS r JOIN pg_publication AS b ON b.oid = r.prpubid
   WHERE b.pubname = 'heliosdb_updates' AND NOT heliosdb.is_identified(r.prrelid)
$$;

REVOKE ALL ON heliosdb.captured_tables FROM PUBLIC;
REVOKE ALL ON FUNCTION heliosdb.has_identity(oid), heliosdb.partitions_of(oid),
  heliosdb.is_identified(oid), heliosdb.table_plan(oid[]), heliosdb.identify_by_all(oid),
  heliosdb.can_alter_publication(name), heliosdb.sync_publications(oid[]),
  heliosdb.unpublished_tables(), heliosdb.publish_late_tables(),
  heliosdb.unidentified_tables() FROM PUBLIC;
-- The view calls it as whoever asks.
GRANT EXECUTE ON FUNCTION heliosdb.table_plan(oid[]) TO pg_monitor;
