import assert from 'node:assert/strict';
import type { CaptureState } from '../../http/node-view.ts';
import { withClient } from '../../postgres/client.ts';
import { startEndpoint, type TestEndpoint } from '../../testing/test-endpoint.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { eventually } from '../eventually.ts';
import { healthOf, partOf, readinessOf, sample, scrape } from './testing/running-node.ts';

const patienceMs = 20_000;
const streaming = sample('capture_state', 'state="streaming"', '1');

/** Whoever reads from the slot is ended as often as it comes back. */
const dropSlot = `
  DO $$ BEGIN LOOP
    PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots
     WHERE database = current_database() AND active;
    BEGIN
      PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots
       WHERE database = current_database();
      EXIT;
    EXCEPTION WHEN object_in_use THEN NULL;
    END;
  END LOOP; END $$`;

describe('the health of a node that captures', function () {
  this.timeout(60_000);
  let endpoint: TestEndpoint;
  let upstream: string;

  before(async () => {
    const postgres = await testPostgres();
    upstream = postgres.url(await postgres.createDatabase());
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

  it('measures what there is while capture is stopped, and counts a stop once', async () => {
    await sql(dropSlot);
    await becomes('stopped');
    await sql('CREATE TABLE missed AS SELECT n FROM generate_series(1, 1000) AS n');
    const isMeasured = async (): Promise<boolean> =>
      Number(/^heliosdb_capture_lag_bytes\{.*\} (\d+)$/m.exec(await scrape(endpoint))?.[1]) >
      50_000;
    assert.ok(await eventually(isMeasured, patienceMs));
    const attempts = (): number => endpoint.output().split('"code":"55000"').length - 1;
    assert.ok(await eventually(() => attempts() >= 4, patienceMs));
    const text = await scrape(endpoint);
    assert.match(text, sample('capture_failures_total', 'code="55000"', '1$'));
    assert.match(text, sample('capture_log_bytes', 'database=', ''));
    assert.doesNotMatch(text, /^heliosdb_capture_retained_wal_bytes\{/m);
    await sql('CALL heliosdb.resume_capture(true)');
    await becomes('streaming');
    const isBack = async (): Promise<boolean> =>
      /^heliosdb_capture_retained_wal_bytes\{/m.test(await scrape(endpoint));
    assert.ok(await eventually(isBack, patienceMs));
  });

  it('measures nothing while capture is off', async () => {
    await sql('CALL heliosdb.disable_capture()');
    await becomes('off');
    const text = await scrape(endpoint);
    assert.match(text, sample('capture_state', 'state="off"', '1'));
    assert.doesNotMatch(text, /^heliosdb_capture_(?:epoch|\w+_bytes|log_changes|readers)\{/m);
  });

  function sql(text: string): Promise<unknown> {
    return withClient(upstream, (client) => client.query(text));
  }

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
