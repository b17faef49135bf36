import type { TableShape } from '../../changelog/table-versions.ts';
import type { CapturedColumn } from '../../contracts/change.ts';
import type { Connection } from '../../postgres/connection.ts';
import type { RelationMessage } from '../../protocol/pgoutput/relation.ts';
import type { ValueKinds } from './value-kinds.ts';

/** A relation as the log keeps it, and which of the columns that are sent it leaves out. */
export type RelationShape = {
  readonly shape: TableShape;
  /** By index in the messages; undefined when all are kept. */
  readonly kept: readonly boolean[] | undefined;
};

/** Makes the shape of a relation. Asks the server for what its message does not say. */
export async function shapeOf(
  relation: RelationMessage,
  server: { readonly connection: Connection; readonly kinds: ValueKinds },
  excluded: ReadonlySet<string>,
): Promise<RelationShape> {
  const resolved = await server.kinds.of(relation.columns.map(({ typeOid }) => typeOid));
  const { oid, schema, name } = relation;
  const { replicaIdentity, keys } = await identityOf(relation, server.connection);
  const kept = relation.columns.map((column) => !excluded.has(column.name));
  const columns = relation.columns
    .map(
      (column, index): CapturedColumn => ({
        ...column,
        isKey: keys === undefined ? column.isKey : keys.has(column.name),
        valueKind: resolved[index]!,
      }),
    )
    .filter((_, index) => kept[index]);
  return {
    shape: { oid, schema, name, replicaIdentity, columns },
    kept: kept.includes(false) ? kept : undefined,
  };
}

/**
 * With REPLICA IDENTITY FULL every column is sent as part of the key; what names a row is the
 * primary key, where there is one. A root whose leaves are less than FULL sends old rows in which
 * only the leaves' keys are filled in, so it is not FULL.
 */
async function identityOf(
  relation: RelationMessage,
  connection: Connection,
): Promise<{
  readonly replicaIdentity: RelationMessage['replicaIdentity'];
  readonly keys: ReadonlySet<string> | undefined;
}> {
  const { replicaIdentity } = relation;
  if (replicaIdentity !== 'full') return { replicaIdentity, keys: undefined };
  const [row] = await connection.query(
    `SELECT (SELECT bool_and(c.relreplident = 'f') FROM pg_partition_tree($1::oid) AS leaf
               JOIN pg_class AS c ON c.oid = leaf.relid WHERE leaf.isleaf) AS full,
            ARRAY(SELECT a.attname::text FROM pg_index AS i
                    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                   WHERE i.indrelid = $1 AND i.indisprimary) AS keys`,
    [relation.oid],
  );
  const keys = row?.['keys'] as readonly string[] | undefined;
  return {
    replicaIdentity: row?.['full'] === false ? 'default' : replicaIdentity,
    keys: keys === undefined || keys.length === 0 ? undefined : new Set(keys),
  };
}
