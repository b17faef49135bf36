import type { TextSession } from '../postgres/text-session.ts';

export type ColumnRow = {
  readonly number: number;
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
};

/** A column of the index that is the replica identity; names are ready for SQL, qualified. */
export type KeyColumnRow = {
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly generated: boolean;
  readonly isDefaultOrder: boolean;
  readonly direction: number;
  readonly greater: string;
  readonly atMost: string;
  readonly equal: string;
};

export type LeafRow = {
  readonly oid: number;
  readonly kind: string;
  readonly persistence: string;
  readonly identity: string;
  readonly identityColumns: readonly string[];
  /** Estimated; negative when never counted. */
  readonly rows: number;
};

export type TableRow = {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly isPartition: boolean;
  readonly columns: readonly ColumnRow[];
  readonly key: readonly KeyColumnRow[];
  readonly leaves: readonly LeafRow[];
};

// pg_partition_tree() would lock partitions before their parent, the other way round than DDL.
const leaves = `
  WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid
    UNION ALL
    SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid
      JOIN pg_class p ON p.oid = tree.oid AND p.relkind = 'p'
  )
  SELECT json_agg(json_build_object(
    'oid', c.oid::bigint, 'kind', c.relkind, 'persistence', c.relpersistence,
    'identity', c.relreplident, 'rows', c.reltuples::bigint,
    'identityColumns', ARRAY(
      SELECT a.attname FROM pg_index i JOIN pg_attribute a
        ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
      WHERE i.indrelid = c.oid AND i.indisreplident)) ORDER BY c.oid)
  FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind <> 'p'`;

const columns = `
  SELECT json_agg(json_build_object('number', a.attnum, 'name', a.attname,
    'typeOid', a.atttypid::bigint, 'typeModifier', a.atttypmod) ORDER BY a.attnum)
  FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped`;

const operator = (strategy: number): string => `(
  SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
  FROM pg_amop m JOIN pg_operator o ON o.oid = m.amopopr
    JOIN pg_namespace n ON n.oid = o.oprnamespace
  WHERE m.amopfamily = oc.opcfamily AND m.amopstrategy = ${strategy}
    AND m.amoplefttype = oc.opcintype AND m.amoprighttype = oc.opcintype)`;

const key = `
  SELECT json_agg(json_build_object(
    'name', a.attname,
    'type', (
      WITH RECURSIVE base (oid, below) AS (
        SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = a.atttypid
        UNION ALL
        SELECT t.oid, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.below)
      SELECT format_type(base.oid, -1) FROM base WHERE base.below = 0),
    'collation', (SELECT format('%I.%I', n.nspname, l.collname)
      FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
      WHERE l.oid = i.indcollation[k.n - 1]),
    'generated', a.attgenerated <> '',
    'isDefaultOrder', oc.opcdefault,
    'direction', i.indoption[k.n - 1],
    'greater', ${operator(5)}, 'atMost', ${operator(2)}, 'equal', ${operator(3)}) ORDER BY k.n)
  FROM pg_index i, generate_series(1, i.indnkeyatts) AS k (n), pg_attribute a, pg_opclass oc
  WHERE i.indrelid = $1 AND i.indisunique AND i.indimmediate AND i.indisvalid
    AND i.indpred IS NULL AND i.indexprs IS NULL
    AND CASE WHEN c.relreplident = 'i' THEN i.indisreplident ELSE i.indisprimary END
    AND a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1]
    AND oc.oid = i.indclass[k.n - 1]`;

const table = `
  SELECT json_build_object(
    'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
    'isPartition', c.relispartition,
    'columns', coalesce((${columns}), '[]'), 'key', coalesce((${key}), '[]'),
    'leaves', coalesce((${leaves}), '[]'))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1`;

/** Undefined when there is nothing with this oid. Takes no lock. */
export async function describeTable(
  session: TextSession,
  oid: number,
): Promise<TableRow | undefined> {
  const [row] = await session.query(table, [oid]);
  return row === undefined ? undefined : (JSON.parse(row[0] as string) as TableRow);
}

/**
 * Whether one of the relations has other files than the snapshot of the session's transaction says:
 * TRUNCATE and an ALTER TABLE that rewrites show every snapshot the new files. Asked after the
 * relations are locked, so that the answer stays true.
 */
export async function wereRewritten(
  session: TextSession,
  relations: readonly number[],
): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 FROM pg_class c WHERE c.oid = ANY ($1::oid[])
       AND c.relfilenode::oid IS DISTINCT FROM pg_relation_filenode(c.oid)::oid`,
    [`{${relations.join(',')}}`],
  );
  return rows.length > 0;
}
