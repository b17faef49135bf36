import assert from 'node:assert/strict';
import { withClient } from '../../postgres/client.ts';
import { startEndpoint, type TestEndpoint } from '../../testing/test-endpoint.ts';
import { testPostgres } from '../../testing/test-postgres.ts';

describe('capture on demand', function () {
  this.timeout(60_000);
  let endpoint: TestEndpoint;
  let database: string;
  let direct: string;

  before(async () => {
    const postgres = await testPostgres();
    database = await postgres.createDatabase();
    direct = postgres.url(database);
    await withClient(direct, async (client) => {
      await client.query('DROP ROLE IF EXISTS on_demand_nobody');
      await client.query('CREATE ROLE on_demand_nobody LOGIN');
    });
    endpoint = await startEndpoint({ upstream: direct, flags: ['--proxies', '1'] });
    const isSetUp = "SELECT to_regprocedure('heliosdb.capture_wish()') IS NOT NULL AS there";
    await withClient(direct, async (client) => {
      while ((await client.query(isSetUp)).rows[0]?.there !== true) {
        await client.query('SELECT pg_sleep(0.05)');
      }
    });
  });

  after(async () => {
    await endpoint.stop();
    await withClient(direct, async (client) => {
      await client.query(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
          WHERE database = current_database() AND NOT active`,
      );
      await client.query('DROP ROLE on_demand_nobody');
    });
  });

  const through = (user?: string): string => {
    const url = new URL(direct);
    url.hostname = endpoint.host;
    url.port = String(endpoint.port);
    if (user !== undefined) url.username = user;
    return url.href;
  };

  const slots = (): Promise<number> =>
    withClient(direct, async (client) => {
      const { rows } = await client.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_replication_slots WHERE database = current_database()`,
      );
      return rows[0]?.n ?? 0;
    });

  it('makes no slot for somebody who uses windows', async () => {
    await withClient(through(), (client) =>
      client.query("SELECT TUMBLE(now(), INTERVAL '1 minute')"),
    );
    assert.equal(await slots(), 0);
  });

  it('does not begin for a role that may not say so, nor in a transaction', async () => {
    await withClient(through('on_demand_nobody'), async (client) => {
      await assert.rejects(client.query('SHOW CDC EVENTS'), { code: '55000' });
    });
    await withClient(through(), async (client) => {
      await client.query('BEGIN');
      await assert.rejects(client.query('SHOW CDC EVENTS'), { code: '55000' });
      await client.query('ROLLBACK');
    });
    assert.equal(await slots(), 0);
  });

  it('begins with the first question of somebody who may, and has what comes then', async () => {
    await withClient(through(), async (client) => {
      assert.deepEqual((await client.query('SHOW CDC EVENTS')).rows, []);
      assert.equal(await slots(), 1);
      await client.query('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)');
      const seen = "SHOW CDC EVENTS FROM orders WHERE operation = 'INSERT'";
      let rows: unknown[] = [];
      while (rows.length === 0) rows = (await client.query(seen)).rows;
      assert.equal(rows.length, 1);
    });
  });
});
