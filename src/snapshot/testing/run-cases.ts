import { openTextSession } from '../../postgres/text-session.ts';
import { openTestConnection } from '../../testing/test-connection.ts';
import { SnapshotMerge } from '../snapshot-merge.ts';
import { type CaseLog, SlotCaseLog } from './case-log.ts';
import { SlotLog } from './slot-log.ts';
import { type CaseCounts, type CaseWorld, SnapshotCase } from './snapshot-case.ts';
import { shapeTypes } from './table-shapes.ts';
import { Writers } from './writers.ts';

export type Run = {
  /** Of an empty database. */
  readonly url: string;
  readonly seed: number;
  readonly cases: number;
  readonly mayHang: boolean;
  readonly isConcurrent: boolean;
  /** A report of more differences than this is not read anyway. */
  readonly differencesMax: number;
  readonly makeMerge?: CaseWorld['makeMerge'];
  /** Instead of a slot of its own. */
  readonly log?: CaseLog;
};

export type RunResult = { readonly differences: readonly string[]; readonly counts: CaseCounts };

/** Runs random cases; answers what differs, and how often what came up. */
export async function runSnapshotCases(run: Run): Promise<RunResult> {
  const session = await openTextSession(run.url);
  const sessions = await Writers.openPool(run.url, 4);
  const differences: string[] = [];
  const counts: CaseCounts = {};
  // What a failed case left open must not make the others wait for ever.
  await session.query(`SET lock_timeout = '10s'`);
  for (const statement of shapeTypes) await session.query(statement);
  const log =
    run.log ?? new SlotCaseLog(await SlotLog.open(session), await openTestConnection(run.url));
  try {
    const [limit] = await session.query('SHOW max_prepared_transactions');
    const { mayHang, isConcurrent } = run;
    const pool = { sessions, canPrepare: limit?.[0] !== '0', mayHang, isConcurrent };
    const makeMerge =
      run.makeMerge ?? ((state: Parameters<CaseWorld['makeMerge']>[0]) => new SnapshotMerge(state));
    const world = { url: run.url, session, log, pool, makeMerge };
    for (let seed = run.seed; seed < run.seed + run.cases; seed += 1) {
      // A case depends on its own seed alone, so that HELIOSDB_SEED with one case repeats it.
      const difference = await new SnapshotCase(world, seed, counts).run();
      if (difference === undefined) continue;
      differences.push(`HELIOSDB_SEED=${seed} HELIOSDB_CASES=1\n${difference}`);
      if (differences.length >= run.differencesMax) break;
    }
  } finally {
    await log.close();
    for (const opened of [session, ...sessions]) await opened.close();
  }
  return { differences, counts };
}
