import assert from 'node:assert/strict';
import type pg from 'pg';
import { withClient } from '../../postgres/client.ts';
import { makeTestCluster, type TestServer } from '../../testing/test-cluster.ts';
import { startEndpoint, type TestEndpoint } from '../../testing/test-endpoint.ts';

/** Far less than what the first question would wait for capture to begin, ms. */
const soonMs = 10_000;

describe('capture that does not begin', function () {
  this.timeout(60_000);
  let server: TestServer;
  let endpoint: TestEndpoint | undefined;

  afterEach(async () => {
    await endpoint?.stop();
    endpoint = undefined;
    await server.stop();
  });

  async function serve(
    settings: Readonly<Record<string, string>>,
    options: { readonly setUp?: string; readonly role?: string; readonly capture: string },
  ): Promise<void> {
    server = await (await makeTestCluster()).start({ settings });
    const { setUp = '', role = 'postgres', capture } = options;
    await withClient(server.url, (client) => client.query(setUp));
    const upstream = new URL(server.url);
    upstream.username = role;
    const flags = ['--proxies', '1', '--capture', capture];
    endpoint = await startEndpoint({ upstream: upstream.href, flags });
    const isSetUp = "SELECT to_regprocedure('heliosdb.capture_failure()') IS NOT NULL AS there";
    await withClient(server.url, async (client) => {
      while ((await client.query(isSetUp)).rows[0]?.there !== true) {
        await client.query('SELECT pg_sleep(0.05)');
      }
    });
  }

  function through<T>(user: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
    const url = new URL(server.url);
    url.username = user;
    url.port = String(endpoint!.port);
    return withClient(url.href, use);
  }

  async function asked(user: string, ...before: readonly string[]): Promise<unknown> {
    return through(user, async (client) => {
      for (const text of before) await client.query(text);
      const startedAt = performance.now();
      const error: unknown = await client.query('SHOW CDC EVENTS').catch((failed) => failed);
      assert.ok(performance.now() - startedAt < soonMs, 'it has waited');
      const { code, message, detail, hint } = error as Record<string, unknown>;
      return { code, message, detail, hint };
    });
  }

  it('says that no slot is free, to whoever asks, and begins once one is', async () => {
    const slot = "pg_create_physical_replication_slot('taken')";
    const setUp = `CREATE ROLE nobody LOGIN; SELECT ${slot}`;
    await serve({ max_replication_slots: '1' }, { setUp, capture: 'on-demand' });
    const expected = {
      code: '53400',
      message: 'the server has no replication slot free',
      detail: 'all replication slots are in use.',
      hint: 'Raise max_replication_slots and restart the server, or drop a slot nobody uses.',
    };
    assert.deepEqual(await asked('postgres'), expected);
    assert.deepEqual(await asked('nobody'), expected);
    assert.deepEqual(await asked('nobody', 'BEGIN'), expected);
    await through('postgres', async (client) => {
      await client.query("SELECT pg_drop_replication_slot('taken')");
      // Wakes whoever captures; what was wrong before it is told no more.
      await client.query('ALTER CDC CAPTURE ENABLE');
      assert.deepEqual((await client.query('SHOW CDC EVENTS')).rows, []);
    });
  });

  it('says that wal_level is too low, whether it was asked for or is on', async () => {
    await serve({ wal_level: 'replica' }, { capture: 'on' });
    const expected = {
      code: '55000',
      message: 'change data capture needs wal_level = logical',
      detail: 'The server has wal_level = replica.',
      hint: 'ALTER SYSTEM SET wal_level = logical, then restart the server.',
    };
    assert.deepEqual(await asked('postgres'), expected);
    const undecided = 'UPDATE heliosdb.capture SET enabled = NULL';
    assert.deepEqual(await asked('postgres', undecided), expected);
  });

  it('says that the role of the upstream may not replicate', async () => {
    const setUp = `CREATE ROLE app LOGIN CREATEROLE; GRANT CREATE ON DATABASE postgres TO app;
                   CREATE ROLE nobody LOGIN`;
    await serve({}, { setUp, role: 'app', capture: 'on' });
    const failure = (await asked('nobody')) as Record<string, unknown>;
    assert.equal(failure['code'], '42501');
    assert.equal(failure['message'], 'the role of --upstream may not capture changes');
    assert.match(String(failure['hint']), /needs REPLICATION/);
  });
});
