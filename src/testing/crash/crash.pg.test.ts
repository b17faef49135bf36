import assert from 'node:assert/strict';
import { Random } from '../oracle/random.ts';
import { CrashRun, failpointNames } from './crash-run.ts';

const seed = Number(process.env['HELIOSDB_SEED'] ?? Math.floor(Math.random() * 1_000_000_000));
/** Named places of a bounded run; then as many kills of whatever it is. */
const failpointsMax = 3;

describe(`capture that is killed (HELIOSDB_SEED=${seed})`, () => {
  it('has every committed change once, in order, as the server has it', async function () {
    this.timeout(240_000);
    const failpoints = new Random(seed).shuffled(failpointNames).slice(0, failpointsMax);
    const rounds = 2 * failpointsMax;
    const report = await CrashRun.run({
      seed,
      failpoints,
      largeRows: 1_500,
      writers: 3,
      goesOn: (done) => done < rounds,
    });
    assert.deepEqual(report.complaints, [], `npm run crash -- --seed ${seed} looks longer`);
    assert.deepEqual(report.failpointsMissed, []);
    assert.equal(report.rounds, rounds);
    if (this.test !== undefined) {
      const { transactions, changes, failpointsHit } = report;
      const hit = Object.keys(failpointsHit).join(', ');
      this.test.title += ` (${transactions} transactions, ${changes} changes, ended at ${hit})`;
    }
  });
});
