import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { withClient } from '../../postgres/client.ts';
import { startEndpoint, type TestEndpoint } from '../../testing/test-endpoint.ts';
import { type TestPostgres, testPostgres } from '../../testing/test-postgres.ts';
import { eventually } from '../eventually.ts';
import { isAlive } from '../process-table.ts';
import {
  healthOf,
  partOf,
  readinessOf,
  runCommand,
  sample,
  scrape,
  urlOf,
} from './testing/running-node.ts';

const patienceMs = 15_000;

describe('heliosdb start', function () {
  this.timeout(60_000);
  let postgres: TestPostgres;
  let endpoint: TestEndpoint;

  before(async () => {
    postgres = await testPostgres();
    endpoint = await startEndpoint({ upstream: postgres.url('postgres') });
  });

  after(() => endpoint.stop());

  it('answers plain SQL and windows', async () => {
    await withClient(urlOf(endpoint), async (client) => {
      const { rows } = await client.query(
        `SELECT count(*)::int AS n
           FROM (SELECT TUMBLE(t, INTERVAL '1 minute') AS w
                   FROM generate_series(timestamp '2026-01-01', '2026-01-01 00:04:59',
                                        INTERVAL '1 second') AS t
                  GROUP BY w) AS windows`,
      );
      assert.deepEqual(rows, [{ n: 5 }]);
    });
  });

  it('tells its health', async () => {
    const { status, parts } = await healthOf(endpoint);
    assert.equal(status, 'ok');
    const states = parts.map(({ name, state }) => `${name} ${state}`);
    assert.deepEqual(states, ['proxy up', 'engine up', 'connectors up', 'redis up', 'http up']);
  });

  it('is ready while the upstream answers', async () => {
    const response = await fetch(`http://127.0.0.1:${endpoint.httpPort}/ready`);
    assert.deepEqual(await response.json(), { ready: true, missing: [] });
    assert.equal(response.status, 200);
  });

  it('counts what the proxy does', async () => {
    await withClient(urlOf(endpoint), (client) => client.query('SELECT 1'));
    const text = await scrape(endpoint);
    for (const name of ['proxy', 'http']) assert.match(text, sample('up', `role="${name}"`, '1'));
    assert.match(text, sample('connections_total', 'role="proxy"', '[1-9]'));
    assert.match(text, sample('bytes_total', 'direction="client-to-server"', '[1-9]'));
    assert.match(text, sample('statements_lowered_total', 'role="proxy"', '[1-9]'));
    assert.match(text, sample('claimed_statement_seconds_count', 'role="proxy"', '[1-9]'));
    assert.match(text, sample('event_loop_lag_seconds', 'quantile="0.99"', ''));
    assert.match(text, sample('process_resident_memory_bytes', 'role="http"', '[1-9]'));
  });

  for (const role of ['proxy', 'http']) {
    it(`starts role ${role} again, on the same port, when it is killed`, async () => {
      const [pid] = await pidsOf(endpoint, role);
      assert.ok(pid);
      process.kill(pid, 'SIGKILL');
      const isBack = async (): Promise<boolean> => {
        const answer = await healthOf(endpoint).catch(() => undefined);
        const part = answer?.parts.find(({ name }) => name === role);
        return part?.state === 'up' && part.restarts === 1 && part.pids[0] !== pid;
      };
      assert.ok(await eventually(isBack, patienceMs));
      await withClient(urlOf(endpoint), (client) => client.query('SELECT 1'));
    });
  }

  it('is not ready while its proxy does not answer', async () => {
    const [pid] = await pidsOf(endpoint, 'proxy');
    assert.ok(pid);
    process.kill(pid, 'SIGSTOP');
    try {
      const isTold = async (): Promise<boolean> =>
        (await readinessOf(endpoint)).missing.join() === 'proxy: silent';
      assert.ok(await eventually(isTold, patienceMs));
      assert.equal((await healthOf(endpoint)).status, 'degraded');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const isBack = async (): Promise<boolean> => (await readinessOf(endpoint)).status === 200;
    assert.ok(await eventually(isBack, patienceMs));
  });

  it('ends with exit code 0 on SIGTERM, and its processes with it', async () => {
    const ending = await startEndpoint({ upstream: postgres.url('postgres') });
    const pids = [...(await pidsOf(ending, 'proxy')), ...(await pidsOf(ending, 'http'))];
    assert.ok(pids.length >= 2);
    assert.equal(await ending.stop(), 0);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  it('ends within its drain timeout although a transaction is open', async () => {
    const ending = await startEndpoint({
      upstream: postgres.url('postgres'),
      flags: ['--drain-timeout', '0.2'],
    });
    await withClient(urlOf(ending), async (client) => {
      await client.query('BEGIN');
      assert.equal(await ending.stop(), 0);
      await assert.rejects(client.query('SELECT 1'));
    });
  });

  it('is not ready while it drains, and says so', async () => {
    const ending = await startEndpoint({
      upstream: postgres.url('postgres'),
      flags: ['--drain-timeout', '30'],
    });
    await withClient(urlOf(ending), async (client) => {
      await client.query('BEGIN');
      const ended = ending.stop();
      const isTold = async (): Promise<boolean> => (await readinessOf(ending)).status === 503;
      assert.ok(await eventually(isTold, patienceMs));
      assert.deepEqual((await readinessOf(ending)).missing, ['proxy: draining']);
      const text = await scrape(ending);
      assert.match(text, sample('up', 'role="proxy"', '0'));
      assert.match(text, sample('up', 'role="http"', '1'));
      await client.query('COMMIT').catch(() => undefined);
      assert.equal(await ended, 0);
    });
  });

  it('takes its processes along when it is killed', async () => {
    const ending = await startEndpoint({ upstream: postgres.url('postgres') });
    const pids = [...(await pidsOf(ending, 'proxy')), ...(await pidsOf(ending, 'http'))];
    ending.child.kill('SIGKILL');
    const isOver = (): boolean => !pids.some(isAlive);
    assert.ok(await eventually(isOver, patienceMs));
  });

  for (const flag of ['--listen', '--http', '--metrics']) {
    it(`says which port is in use, and that ${flag} changes it`, async () => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      const { port } = taken.address() as { port: number };
      const others = ['--listen', '--http', '--metrics'].filter((other) => other !== flag);
      const { status, stderr } = runCommand(
        ...['start', '--upstream', postgres.url('postgres')],
        ...others.flatMap((other) => [other, '127.0.0.1:0']),
        ...[flag, `127.0.0.1:${port}`],
      );
      taken.close();
      assert.equal(status, 78);
      assert.equal(
        stderr,
        `heliosdb: 127.0.0.1:${port} is in use\n` +
          `HINT:  Give another address with ${flag} HOST:PORT.\n`,
      );
    });
  }

  it('refuses an upstream that is its own endpoint', () => {
    const args = ['start', '--upstream', 'postgres://localhost:6431', '--listen', '127.0.0.1:6431'];
    const { status, stderr } = runCommand(...args);
    assert.equal(status, 78);
    assert.match(stderr, /^heliosdb: the upstream at localhost:6431 is where this node listens/);
  });

  it('refuses to open a server that asks for no password to other machines', () => {
    const args = ['start', '--upstream', postgres.url('postgres'), '--listen', '0.0.0.0:0'];
    const { status, stderr } = runCommand(...args);
    assert.equal(status, 78);
    assert.match(stderr, /^heliosdb: the upstream lets user "postgres" in without a password/);
    assert.match(stderr, /^HINT: .*--allow-trust/m);
  });

  for (const [what, url] of [
    ['database', (): string => postgres.url('no_such_database')],
    ['role', (): string => postgres.url('postgres').replace(/\/\/[^@]*@/, '//no_such_role@')],
  ] as const) {
    it(`refuses to open one of which it cannot tell, for a ${what} that is not there`, () => {
      const { status, stderr } = runCommand(
        ...['start', '--upstream', url(), '--listen', '0.0.0.0:0'],
      );
      assert.equal(status, 78);
      assert.match(stderr, /^heliosdb: could not find out whether the upstream asks for passwords/);
      assert.match(stderr, /^DETAIL: .*"no_such_\w+" does not exist\.$/m);
      assert.match(stderr, /^HINT: .*--allow-trust/m);
    });
  }

  it('opens it when told that this is meant', async () => {
    const open = await startEndpoint({
      upstream: postgres.url('postgres'),
      flags: ['--listen', '0.0.0.0:0', '--allow-trust'],
    });
    assert.equal(await open.stop(), 0);
  });

  it('starts without its upstream, says so, and is not ready', async () => {
    const alone = await startEndpoint({ upstream: 'postgres://postgres@127.0.0.1:1/postgres' });
    const found = '127.0.0.1:1 does not answer: connect ECONNREFUSED 127.0.0.1:1';
    const hint = 'tart the server, or correct the host and port in the URL of --upstream';
    const output = alone.output();
    assert.ok(output.includes(`the upstream does not serve: ${found}\nHINT:  S${hint}.\n`), output);
    assert.deepEqual(await readinessOf(alone), {
      status: 503,
      missing: [`upstream: ${found}; to mend: s${hint}`],
    });
    assert.equal(await alone.stop(), 0);
  });
});

async function pidsOf(endpoint: TestEndpoint, part: string): Promise<readonly number[]> {
  return (await partOf(endpoint, part))?.pids ?? [];
}
