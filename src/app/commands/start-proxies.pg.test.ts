import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { PartState } from '../../http/node-view.ts';
import { withClient } from '../../postgres/client.ts';
import { startEndpoint, type TestEndpoint } from '../../testing/test-endpoint.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { eventually } from '../eventually.ts';
import { isAlive } from '../process-table.ts';
import { healthOf, partOf, runCommand, scrape, urlOf } from './testing/running-node.ts';

const patienceMs = 15_000;

describe('heliosdb start with several proxies', function () {
  this.timeout(60_000);
  let upstream: string;
  let endpoint: TestEndpoint;

  before(async () => {
    upstream = (await testPostgres()).url('postgres');
    endpoint = await startEndpoint({ upstream, flags: ['--proxies', '2'] });
  });

  after(() => endpoint.stop());

  it('serves connections of all of them on one port, which the system chose', async () => {
    assert.notEqual(endpoint.port, 0);
    assert.equal((await proxies())?.pids.length, 2);
    await Promise.all(Array.from({ length: 8 }, () => answers()));
  });

  it('counts on where a killed process had stopped', async () => {
    const opened = async (): Promise<number> =>
      Number(/^heliosdb_connections_total\{.*\} (\d+)$/m.exec(await scrape(endpoint))?.[1]);
    const before = await opened();
    assert.ok(before >= 8);
    const { pids = [], restarts = 0 } = (await proxies()) ?? {};
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const areBack = async (): Promise<boolean> => {
      assert.ok((await opened()) >= before);
      return (await proxies())?.restarts === restarts + pids.length;
    };
    assert.ok(await eventually(areBack, patienceMs));
    assert.ok(await eventually(async () => (await proxies())?.pids.length === 2, patienceMs));
    assert.equal(await opened(), before);
  });

  it('starts one again that is killed, while the other goes on', async () => {
    const [first, second] = (await proxies())?.pids ?? [];
    assert.ok(first && second);
    process.kill(first, 'SIGKILL');
    const isBack = async (): Promise<boolean> => {
      const part = await proxies();
      return part?.state === 'up' && part.pids.length === 2 && !part.pids.includes(first);
    };
    assert.ok(await eventually(isBack, patienceMs));
    assert.ok((await proxies())?.pids.includes(second));
    await Promise.all(Array.from({ length: 8 }, () => answers()));
  });

  it('listens on the same port when all were killed', async () => {
    const killed = (await proxies())?.pids ?? [];
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    const doAnswer = (): Promise<boolean> =>
      answers().then(
        () => true,
        () => false,
      );
    const areBack = async (): Promise<boolean> => {
      const part = await proxies();
      return part?.state === 'up' && part.pids.every((pid) => !killed.includes(pid));
    };
    assert.ok(await eventually(areBack, patienceMs));
    assert.ok(await eventually(doAnswer, patienceMs));
  });

  it('drains all of them on SIGTERM', async () => {
    const ending = await startEndpoint({ upstream, flags: ['--proxies', '2'] });
    const pids = (await healthOf(ending)).parts.flatMap((part) => part.pids);
    await withClient(urlOf(ending), async (client) => {
      await client.query('BEGIN');
      const ended = ending.stop();
      await assert.doesNotReject(client.query('SELECT 1'));
      await client.query('COMMIT').catch(() => undefined);
      assert.equal(await ended, 0);
    });
    assert.deepEqual(pids.filter(isAlive), []);
  });

  it('leaves the URL of the upstream to the supervisor alone (needs /proc)', async function () {
    if (!existsSync('/proc/self/environ')) this.skip();
    const environment = { HELIOSDB_UPSTREAM: upstream, HELIOSDB_LOG_LEVEL: 'error' };
    const started = await startEndpoint({ environment, flags: ['--proxies', '2'] });
    const { parts } = await healthOf(started);
    const environments = parts
      .flatMap(({ pids }) => pids)
      .map((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    await started.stop();
    assert.equal(environments.length, 6);
    for (const text of environments) {
      assert.ok(text.includes('HELIOSDB_LOG_LEVEL'));
      assert.ok(!text.includes(upstream));
    }
  });

  it('says which port is in use', () => {
    const taken = `127.0.0.1:${endpoint.port}`;
    // Without the roles that keep something in the directory of data, which others use too.
    const others = ['--http', '127.0.0.1:0', '--metrics', '127.0.0.1:0', '--roles', 'proxy,http'];
    const { status, stderr } = runCommand(
      ...['start', '--upstream', upstream, '--proxies', '2', '--listen', taken, ...others],
    );
    assert.equal(status, 78);
    assert.match(stderr, new RegExp(`^heliosdb: ${taken} is in use\nHINT: .* --listen HOST:PORT`));
  });

  function proxies(): Promise<PartState | undefined> {
    return partOf(endpoint, 'proxy');
  }

  async function answers(): Promise<void> {
    await withClient(urlOf(endpoint), (client) => client.query('SELECT 1'));
  }
});
