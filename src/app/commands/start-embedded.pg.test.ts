import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PartState } from '../../http/node-view.ts';
import { withClient } from '../../postgres/client.ts';
import {
  startEndpoint,
  type TestEndpoint,
  temporaryDirectory,
} from '../../testing/test-endpoint.ts';
import { eventually } from '../eventually.ts';
import { isAlive } from '../process-table.ts';
import { readinessOf } from './testing/running-node.ts';

const main = fileURLToPath(new URL('../main.js', import.meta.url));
const patienceMs = 30_000;

describe('heliosdb start with the embedded Postgres', function () {
  this.timeout(90_000);
  let dataDirectory: string;
  let endpoint: TestEndpoint;

  before(async () => {
    dataDirectory = temporaryDirectory();
    endpoint = await startEndpoint({ dataDirectory });
    await query('CREATE TABLE kept AS SELECT 42 AS n');
  });

  after(async () => {
    const postgres = await postgresOf(endpoint);
    assert.equal(await endpoint.stop(), 0);
    assert.ok(postgres?.pids.every((pid) => !isAlive(pid)));
    rmSync(dataDirectory, { recursive: true });
  });

  it('starts Postgres again when that is killed, and proxies connect anew', async () => {
    const [pid] = (await postgresOf(endpoint))?.pids ?? [];
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    const isBack = async (): Promise<boolean> => {
      const postgres = await postgresOf(endpoint);
      return postgres?.state === 'up' && postgres.restarts === 1;
    };
    assert.ok(await eventually(isBack, patienceMs));
    assert.deepEqual(await query('SELECT n FROM kept'), [{ n: 42 }]);
  });

  it('is not ready while Postgres does not answer, and speaks of no flag that was not given', async () => {
    const [pid] = (await postgresOf(endpoint))?.pids ?? [];
    assert.ok(pid);
    process.kill(pid, 'SIGSTOP');
    let missing: readonly string[] = [];
    try {
      const isTold = async (): Promise<boolean> => {
        ({ missing } = await readinessOf(endpoint));
        return missing.length > 0;
      };
      assert.ok(await eventually(isTold, patienceMs));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    assert.match(
      missing.join(),
      /^upstream: the embedded Postgres at 127\.0\.0\.1:\d+ did not answer/,
    );
    assert.ok(missing.join().includes(join(dataDirectory, 'postgres.log')), missing.join());
    assert.doesNotMatch(missing.join(), /--upstream/);
    const isBack = async (): Promise<boolean> => (await readinessOf(endpoint)).status === 200;
    assert.ok(await eventually(isBack, patienceMs));
  });

  it('keeps its data directory to itself', async () => {
    const second = startEndpoint({ dataDirectory });
    await assert.rejects(second, ({ message }: Error) => {
      assert.match(message, /data directory ".*" is in use by process \d+\n/);
      assert.match(message, /give another directory with --data/);
      return true;
    });
  });

  it('comes up with its data after the supervisor was killed', async () => {
    const before = await postgresOf(endpoint);
    endpoint.child.kill('SIGKILL');
    await once(endpoint.child, 'exit');
    endpoint = await startEndpoint({ dataDirectory });
    assert.ok(before?.pids.every((pid) => !isAlive(pid)));
    assert.deepEqual(await query('SELECT n FROM kept'), [{ n: 42 }]);
  });

  it('can be told to stop while it makes the database, and leaves nothing running', async () => {
    const directory = temporaryDirectory();
    const child = spawn(process.execPath, [main, 'start', '--data', directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.once('data', () => child.kill('SIGTERM'));
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.ok(!existsSync(join(directory, 'postgres', 'postmaster.pid')));
    rmSync(directory, { recursive: true });
  });

  async function query(sql: string): Promise<unknown[]> {
    const url = `postgres://postgres@${endpoint.host}:${endpoint.port}/postgres`;
    return withClient(url, async (client) => (await client.query(sql)).rows);
  }
});

async function postgresOf({ httpPort }: TestEndpoint): Promise<PartState | undefined> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/health`);
  const { parts } = (await response.json()) as { parts: PartState[] };
  return parts.find(({ name }) => name === 'postgres');
}
