import assert from 'node:assert/strict';
import { casesOfRun, seedOfRun } from '../testing/oracle/random.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import { type RunResult, runSnapshotCases } from './testing/run-cases.ts';

/** What cases are for; each comes up in a hundred of them. */
const wanted = [
  ...['apply', 'skip', 'apply-before', 'apply-after', 'truncate-part'],
  ...['wait', 'reread', 'interruptions'],
];

describe('a snapshot and the changes after it', () => {
  it('give exactly the table, whoever writes and whenever it is interrupted', async function () {
    const cases = casesOfRun(40);
    this.timeout(120_000 + cases * 2_000);
    const { differences, counts } = await run(cases, false);
    assert.equal(differences.length, 0, `\n${differences.join('\n\n')}`);
    const missing = wanted.filter((kind) => counts[kind] === undefined);
    if (cases >= 100) assert.deepEqual(missing, [], JSON.stringify(counts));
  });

  it('give it also with writers that really write at the same time', async function () {
    const cases = casesOfRun(15);
    this.timeout(120_000 + cases * 2_000);
    const { differences } = await run(cases, true);
    assert.equal(differences.length, 0, `\n${differences.join('\n\n')}`);
  });
});

async function run(cases: number, isConcurrent: boolean): Promise<RunResult> {
  const postgres = await testPostgres();
  const url = postgres.url(await postgres.createDatabase());
  const seed = seedOfRun();
  return runSnapshotCases({ url, seed, cases, mayHang: false, isConcurrent, differencesMax: 3 });
}
