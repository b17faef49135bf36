import assert from 'node:assert/strict';
import { openTextSession } from '../postgres/text-session.ts';
import { casesOfRun, seedOfRun } from '../testing/oracle/random.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import { SlotLog } from './testing/slot-log.ts';
import { type CaseCounts, SnapshotCase } from './testing/snapshot-case.ts';
import { shapeTypes } from './testing/table-shapes.ts';
import { Writers } from './testing/writers.ts';

/** A report of more differences than this is not read anyway. */
const differencesMax = 3;

describe('a snapshot and the changes after it', () => {
  it('give exactly the table, whoever writes and whenever it is interrupted', async function () {
    const cases = casesOfRun(40);
    this.timeout(120_000 + cases * 2_000);
    const postgres = await testPostgres();
    const url = postgres.url(await postgres.createDatabase());
    const session = await openTextSession(url);
    const sessions = await Writers.openPool(url, 4);
    const differences: string[] = [];
    const counts: CaseCounts = {};
    for (const statement of shapeTypes) await session.query(statement);
    const log = await SlotLog.open(session);
    try {
      const [limit] = await session.query('SHOW max_prepared_transactions');
      const world = { url, session, log, pool: { sessions, canPrepare: limit?.[0] !== '0' } };
      const first = seedOfRun();
      for (let seed = first; seed < first + cases; seed += 1) {
        const difference = await new SnapshotCase(world, seed, counts).run();
        if (difference === undefined) continue;
        differences.push(`HELIOSDB_SEED=${seed} HELIOSDB_CASES=1\n${difference}`);
        if (differences.length === differencesMax) break;
      }
    } finally {
      await log.drop();
      for (const opened of [session, ...sessions]) await opened.close();
    }
    assert.equal(differences.length, 0, `\n${differences.join('\n\n')}`);
    if (cases < 100) return;
    const wanted = ['apply', 'skip', 'apply-before', 'apply-after', 'wait', 'interruptions'];
    for (const kind of wanted) assert.ok((counts[kind] ?? 0) > 0, `${kind} never came up`);
    if (process.env['HELIOSDB_CASES'] !== undefined) console.log(counts);
  });
});
