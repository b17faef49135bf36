/**
 * What a captured change is, for everybody who reads the change log. Types only. Values are the
 * text Postgres printed them as, under the pinned settings of the replication session (dates ISO in
 * UTC, intervals `postgres`, floats exact, bytea hex), and never went through a JavaScript number.
 */

/**
 * Identifies a change within a captured database, for ever. Changes are ordered by it: first by
 * epoch, then by commit, then within the transaction.
 */
export type ChangePosition = {
  /** Grows whenever LSNs may not continue: a lost slot, a restore, a failover that lost commits. */
  readonly epoch: number;
  /** Of the commit record of its transaction. */
  readonly lsn: bigint;
  /** Index among the surviving changes of its transaction, from 0. */
  readonly seq: number;
};

/** As `TG_OP` has it; DDL is a schema change. */
export type Operation = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE' | 'DDL';

/** How the text of a value is written as JSON; decided when the table version was first seen. */
export type ValueKind =
  | 'number'
  | 'boolean'
  /** json and jsonb: the text is JSON already. */
  | 'json'
  | 'text'
  | { readonly arrayOf: Exclude<ValueKind, object>; readonly delimiter: string };

export type CapturedColumn = {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** Part of the replica identity. */
  readonly isKey: boolean;
  readonly valueKind: ValueKind;
};

/**
 * A table as it was when a change was made. The same table has another version after an ALTER; a
 * table that is dropped and made again has another `oid`. The root stands for its partitions.
 */
export type TableVersion = {
  /** Unique within one change log; never reused. */
  readonly id: number;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: 'default' | 'nothing' | 'full' | 'index';
  /** Without the columns that are kept out of the log. */
  readonly columns: readonly CapturedColumn[];
};

/**
 * Values in the order of the columns. `undefined` where the change does not say: an unchanged
 * TOAST value, or a column that is not in the replica identity.
 */
export type Tuple = readonly (string | null | undefined)[];

export type Change = {
  readonly position: ChangePosition;
  /** Where the change itself stands in the WAL. */
  readonly walLsn: bigint;
  /** Microseconds since 1970, of the commit. */
  readonly committedAtMicros: bigint;
  /** Of the top-level transaction, 64 bits. */
  readonly xid: bigint;
  readonly operation: Operation;
  /** Of a schema change undefined. */
  readonly table: TableVersion | undefined;
  /** The old row, as far as the replica identity gives it. */
  readonly before: Tuple | undefined;
  readonly after: Tuple | undefined;
  /** Of a schema change. */
  readonly schemaChange: SchemaChange | undefined;
};

export type SchemaChange = {
  /** As `TG_TAG`: `ALTER TABLE`, `DROP TABLE`, ... */
  readonly command: string;
  readonly tableOid: number;
  readonly schema: string;
  readonly name: string;
  /** The rows may have changed without a change of their own: a rewrite, a dropped partition. */
  readonly rewritesRows: boolean;
};

export function comparePositions(left: ChangePosition, right: ChangePosition): number {
  if (left.epoch !== right.epoch) return left.epoch - right.epoch;
  if (left.lsn !== right.lsn) return left.lsn < right.lsn ? -1 : 1;
  return left.seq - right.seq;
}
