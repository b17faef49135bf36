import assert from 'node:assert/strict';
import { casesOfRun, seedOfRun } from '../testing/oracle/random.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import { runSnapshotCases } from './testing/run-cases.ts';

/** What cases are for; each comes up in a hundred of them. */
const wanted = [
  ...['apply', 'skip', 'apply-before', 'apply-after', 'truncate-part'],
  ...['wait', 'reread', 'interruptions'],
];

describe('a snapshot and the changes after it', () => {
  it('give exactly the table, whoever writes and whenever it is interrupted', async function () {
    const cases = casesOfRun(40);
    this.timeout(120_000 + cases * 2_000);
    const postgres = await testPostgres();
    const { differences, counts } = await runSnapshotCases({
      url: postgres.url(await postgres.createDatabase()),
      seed: seedOfRun(),
      cases,
      mayHang: false,
      differencesMax: 3,
    });
    assert.equal(differences.length, 0, `\n${differences.join('\n\n')}`);
    const missing = wanted.filter((kind) => counts[kind] === undefined);
    if (cases >= 100) assert.deepEqual(missing, [], JSON.stringify(counts));
  });
});
