import assert from 'node:assert/strict';
import type { CaptureState } from '../../http/node-view.ts';
import { startEndpoint, type TestEndpoint } from '../../testing/test-endpoint.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { eventually } from '../eventually.ts';
import { healthOf, partOf, readinessOf, sample, scrape } from './testing/running-node.ts';

const patienceMs = 20_000;
const streaming = sample('capture_state', 'state="streaming"', '1');

describe('the health of a node that captures', function () {
  this.timeout(60_000);
  let endpoint: TestEndpoint;

  before(async () => {
    const postgres = await testPostgres();
    const upstream = postgres.url(await postgres.createDatabase());
    const flags = ['--capture', 'on', '--roles', 'engine,http'];
    endpoint = await startEndpoint({ upstream, flags });
    await becomes('streaming');
  });

  after(() => endpoint.stop());

  it('claims nothing of capture while its engine does not answer', async () => {
    assert.equal((await healthOf(endpoint)).status, 'ok');
    assert.match(await scrape(endpoint), streaming);
    const [pid] = (await partOf(endpoint, 'engine'))?.pids ?? [];
    assert.ok(pid);
    process.kill(pid, 'SIGSTOP');
    try {
      await becomes('unknown');
      assert.equal((await healthOf(endpoint)).status, 'degraded');
      assert.deepEqual((await readinessOf(endpoint)).missing, ['engine: silent']);
      const text = await scrape(endpoint);
      assert.match(text, sample('up', 'role="engine"', '0'));
      assert.doesNotMatch(text, /^heliosdb_capture_(?:state|lag_bytes|retained_wal_bytes)\{/m);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await becomes('streaming');
    assert.equal((await healthOf(endpoint)).status, 'ok');
    assert.match(await scrape(endpoint), streaming);
  });

  async function becomes(state: string): Promise<void> {
    let found: readonly CaptureState[] = [];
    const isSo = async (): Promise<boolean> => {
      found = (await healthOf(endpoint)).captures;
      return found[0]?.state === state;
    };
    const isTold = await eventually(isSo, patienceMs);
    assert.ok(isTold, `not ${state}: ${JSON.stringify(found)}\n${endpoint.output()}`);
  }
});
