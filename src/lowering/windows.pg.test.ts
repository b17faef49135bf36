import assert from 'node:assert/strict';
import { withClient } from '../postgres/client.ts';
import { casesOfRun, seedOfRun } from '../testing/oracle/random.ts';
import { runRewritten } from '../testing/oracle/rewriting-client.ts';
import { runCases } from '../testing/oracle/run-cases.ts';
import { testPostgres } from '../testing/test-postgres.ts';

describe('windowed queries', () => {
  it('give exactly what hand-written SQL gives, types and names included', async function () {
    const cases = casesOfRun(80);
    this.timeout(120_000 + cases * 2_000);
    const postgres = await testPostgres();
    const url = postgres.url(await postgres.createDatabase());
    const differences = await withClient(url, (client) =>
      runCases(client, {
        seed: seedOfRun(),
        cases,
        runOurs: (random) => {
          const canProbe = random.chance(0.8);
          return (connected, step) => runRewritten(connected, step, canProbe);
        },
      }),
    );
    assert.equal(differences.length, 0, `\n${differences.join('\n\n')}`);
  });
});
