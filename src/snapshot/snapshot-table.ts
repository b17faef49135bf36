import {
  snapshotColumnMissing,
  snapshotOfWrongObject,
  snapshotTableAltered,
} from '../core/errors/snapshot.ts';
import type { TextSession } from '../postgres/text-session.ts';
import type { TableKey } from './snapshot-key.ts';
import { type ColumnRow, describeTable, type TableRow } from './table-catalog.ts';

/** A table as its snapshot needs it to stay; plain JSON. */
export type SnapshotTable = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly isPartitioned: boolean;
  readonly columns: readonly ColumnRow[];
  /** Null when it cannot be read in chunks; then `keyless` says why, in a full sentence. */
  readonly key: TableKey | null;
  readonly keyless: string | null;
  /** Oids of the partitions that have rows, or its own. */
  readonly leaves: readonly number[];
  /** Undefined when nothing has been counted yet. */
  readonly estimatedRows: number | null;
};

/** Undefined when there is no such table. */
export async function readSnapshotTable(
  session: TextSession,
  oid: number,
  wanted: 'all' | readonly string[],
): Promise<SnapshotTable | undefined> {
  const row = await describeTable(session, oid);
  if (row === undefined) return undefined;
  const name = displayName(row);
  refuseOtherObjects(row, name);
  for (const column of wanted === 'all' ? [] : wanted) {
    if (!row.columns.some((present) => present.name === column)) {
      throw snapshotColumnMissing(name, column);
    }
  }
  const columns =
    wanted === 'all'
      ? row.columns
      : wanted.map((column) => row.columns.find((present) => present.name === column) as ColumnRow);
  const { key, keyless } = keyOf(row);
  const counted = row.leaves.filter(({ rows }) => rows >= 0);
  return {
    oid,
    schema: row.schema,
    name: row.name,
    isPartitioned: row.kind === 'p',
    columns,
    key,
    keyless,
    leaves: row.leaves.map((leaf) => leaf.oid),
    estimatedRows: counted.length < row.leaves.length ? null : sum(counted.map(({ rows }) => rows)),
  };
}

/** Throws when what has been read of the table so far does not fit what it is now. */
export function compareTables(then: SnapshotTable, now: SnapshotTable): void {
  const name = displayName(now);
  const same = (left: unknown, right: unknown): boolean =>
    JSON.stringify(left) === JSON.stringify(right);
  if (!same(then.columns, now.columns)) {
    throw snapshotTableAltered(name, 'Its columns or their types are not the same any more.');
  }
  if (!same(then.key, now.key)) {
    throw snapshotTableAltered(name, 'Its key is not the same any more.');
  }
  // A new partition is empty or says so in the log; the rows of one that went away went unsaid.
  if (!then.leaves.every((leaf) => now.leaves.includes(leaf))) {
    throw snapshotTableAltered(name, 'A partition of it was dropped or detached.');
  }
}

export function displayName(table: { readonly schema: string; readonly name: string }): string {
  return `"${table.schema}.${table.name}"`;
}

const storedKinds = new Set(['r', 'p']);

function refuseOtherObjects(row: TableRow, name: string): void {
  const refuse = (why: string, hint: string): never => {
    throw snapshotOfWrongObject(name, why, hint);
  };
  if (!storedKinds.has(row.kind)) refuse('It is not a table.', 'Name a table.');
  if (row.persistence === 't') refuse('It is a temporary table.', 'Name a permanent table.');
  if (row.persistence === 'u') {
    refuse('It is unlogged: its changes are in no log.', 'Use ALTER TABLE ... SET LOGGED.');
  }
  if (row.isPartition) {
    refuse('It is a partition: the root stands for its partitions.', 'Name the root of it.');
  }
  if (row.leaves.some(({ kind, persistence }) => kind !== 'r' || persistence !== 'p')) {
    refuse('A partition of it is foreign or unlogged.', 'Detach that partition.');
  }
}

/** The key is that of the replica identity, so that every change has it. */
function keyOf(row: TableRow): Pick<SnapshotTable, 'key' | 'keyless'> {
  const without = (keyless: string) => ({ key: null, keyless });
  const columns = row.key;
  const [first] = columns;
  if (first === undefined)
    return without('It has no primary key and no index as replica identity.');
  if (columns.some(({ generated }) => generated)) return without('Its key has a generated column.');
  if (columns.some(({ isDefaultOrder }) => !isDefaultOrder)) {
    return without('Its key has an operator class that is not the default one.');
  }
  // One row comparison has one operator, and an index answers it only in one direction.
  const uniform = columns.every(
    ({ greater, atMost, equal, direction }) =>
      greater === first.greater &&
      atMost === first.atMost &&
      equal === first.equal &&
      direction === first.direction,
  );
  if (!uniform) return without('The columns of its key are not ordered by the same operators.');
  const names = columns.map(({ name }) => name);
  const hasKey = ({ identity, identityColumns }: TableRow['leaves'][number]): boolean =>
    identity === 'd' || identity === 'f'
      ? true
      : identity === 'i' && names.every((name) => identityColumns.includes(name));
  if (row.kind === 'p' && !row.leaves.every(hasKey)) {
    return without('A partition of it has a replica identity without the key.');
  }
  const key = {
    columns: columns.map(({ name, type, collation }) => ({ name, type, collation })),
    greater: first.greater,
    atMost: first.atMost,
    equal: first.equal,
  };
  return { key, keyless: null };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
