import type { TableShape } from '../../changelog/table-versions.ts';
import type { CapturedColumn } from '../../contracts/change.ts';
import type { RelationMessage } from '../../protocol/pgoutput/relation.ts';
import type { ValueKinds } from './value-kinds.ts';

/** A relation as the log keeps it, and which of the columns that are sent it leaves out. */
export type RelationShape = {
  readonly shape: TableShape;
  /** By index in the messages; undefined when all are kept. */
  readonly kept: readonly boolean[] | undefined;
};

/** Makes the shape of a relation. Asks the server for types that are not built in. */
export async function shapeOf(
  relation: RelationMessage,
  kinds: ValueKinds,
  isExcluded: (schema: string, table: string, column: string) => boolean,
): Promise<RelationShape> {
  const resolved = await kinds.of(relation.columns.map(({ typeOid }) => typeOid));
  const { oid, schema, name, replicaIdentity } = relation;
  const kept = relation.columns.map((column) => !isExcluded(schema, name, column.name));
  const columns = relation.columns
    .map((column, index): CapturedColumn => ({ ...column, valueKind: resolved[index]! }))
    .filter((_, index) => kept[index]);
  return {
    shape: { oid, schema, name, replicaIdentity, columns },
    kept: kept.includes(false) ? kept : undefined,
  };
}
