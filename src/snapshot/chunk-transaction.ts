import { snapshotOnStandby } from '../core/errors/snapshot.ts';
import {
  snapshotBatchRowsMax,
  snapshotBatchUnitsMax,
  snapshotLockWaitMs,
  snapshotStatementMs,
} from '../core/limits.ts';
import { type Lsn, parseLsn } from '../core/lsn.ts';
import { quoteIdentifier, quoteLiteral } from '../core/quoting.ts';
import type { TextRow, TextSession } from '../postgres/text-session.ts';
import {
  type KeyRange,
  type KeyValue,
  keyColumns,
  keyOrder,
  rangeCondition,
} from './snapshot-key.ts';
import type { SnapshotPredicate } from './snapshot-state.ts';
import type { SnapshotTable } from './snapshot-table.ts';

/** The snapshot of an open transaction. */
export type OpenSnapshot = {
  readonly snapshot: string;
  /** No transaction that commits at or behind it is visible in the snapshot. */
  readonly endLsn: Lsn;
};

/** Opens a transaction that reads in one snapshot, and answers which. */
export async function beginReading(session: TextSession): Promise<OpenSnapshot> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  // The snapshot is taken before anything of the statement runs, so the LSN is a later one.
  const rows = await session.query(
    `SELECT pg_current_snapshot(),
       CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END,
       set_config('lock_timeout', '${snapshotLockWaitMs}', true),
       set_config('statement_timeout', '${snapshotStatementMs}', true),
       -- Without statistics the planner would read all of the table for each chunk.
       set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)`,
  );
  const [snapshot, lsn] = rows[0] as TextRow;
  const endLsn = parseLsn(lsn ?? '');
  if (endLsn === undefined) throw snapshotOnStandby();
  return { snapshot: snapshot as string, endLsn };
}

export async function endReading(session: TextSession, isComplete: boolean): Promise<void> {
  await session.query(isComplete ? 'COMMIT' : 'ROLLBACK');
}

/** The key of the last of so many rows behind `after`; undefined when there are not so many. */
export async function findUpperKey(
  session: TextSession,
  table: SnapshotTable,
  after: KeyValue | null,
  rows: number,
): Promise<KeyValue | undefined> {
  const { key } = table;
  if (key === null) return undefined;
  const found = await session.query(
    `SELECT ${keyColumns(key)} FROM ${relationOf(table)}
     WHERE ${rangeCondition(key, { after, upTo: null })}
     ORDER BY ${keyOrder(key)} OFFSET ${rows - 1} LIMIT 1`,
  );
  return found[0] as KeyValue | undefined;
}

export type ChunkQuery = {
  readonly table: SnapshotTable;
  readonly range: KeyRange;
  readonly where: SnapshotPredicate | null;
};

const cursor = 'heliosdb_chunk';

/** Declares the cursor of a chunk, which locks all that it will read. */
export async function openChunk(session: TextSession, query: ChunkQuery): Promise<void> {
  const { table, range, where } = query;
  const inRange = table.key === null ? 'true' : rangeCondition(table.key, range);
  const statement = selectRows(table, inRange, where);
  if (where !== null) {
    await session.query(
      `SELECT set_config('search_path', ${quoteLiteral(where.searchPath)}, true)`,
    );
  }
  if (range.after === null && range.upTo === null)
    await session.query('SET LOCAL enable_seqscan = on');
  await session.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${statement}`);
  if (where !== null) await session.query(`SET LOCAL search_path = ''`);
}

export function selectRows(
  table: SnapshotTable,
  condition: string,
  where: SnapshotPredicate | null,
): string {
  const columns = table.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  // The line break ends a comment at the end of the predicate.
  const also = where === null ? '' : ` AND (${where.sql}\n)`;
  return `SELECT ${columns} FROM ${relationOf(table)} WHERE ${condition}${also}`;
}

/** The rows of the open cursor in batches that grow until they are as large as they may be. */
export async function* fetchBatches(session: TextSession): AsyncGenerator<readonly TextRow[]> {
  let wanted = 64;
  for (;;) {
    const rows = await session.query(`FETCH FORWARD ${wanted} FROM ${cursor}`);
    if (rows.length > 0) yield rows;
    if (rows.length < wanted) return;
    const units = Math.max(1, unitsOf(rows) / rows.length);
    const fitting = Math.floor(snapshotBatchUnitsMax / units);
    wanted = Math.max(1, Math.min(wanted * 4, fitting, snapshotBatchRowsMax));
  }
}

function unitsOf(rows: readonly TextRow[]): number {
  let units = 0;
  for (const row of rows) {
    for (const value of row) units += value?.length ?? 0;
  }
  return units;
}

/** Children by inheritance are tables of their own, also to the replication; partitions are not. */
function relationOf({ schema, name, isPartitioned }: SnapshotTable): string {
  const qualified = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  return isPartitioned ? qualified : `ONLY ${qualified}`;
}
