import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withClient } from '../postgres/client.ts';
import { makeTestCluster } from '../testing/test-cluster.ts';
import { startEndpoint, type TestEndpoint } from '../testing/test-endpoint.ts';

describe('windows on a standby', function () {
  this.timeout(60_000);
  let endpoint: TestEndpoint;
  let url: string;

  before(async () => {
    const cluster = await makeTestCluster();
    const primary = await cluster.start();
    await withClient(primary.url, async (client) => {
      await client.query(`CREATE TABLE reading (at timestamptz, place int, value int);
        INSERT INTO reading SELECT '2026-01-01 00:00+00'::timestamptz + n * INTERVAL '7 seconds', n % 3, n
          FROM generate_series(1, 2000) AS n;
        ANALYZE reading`);
    });
    await primary.stop();
    await writeFile(join(cluster.directory, 'standby.signal'), '');
    const standby = await cluster.start();
    endpoint = await startEndpoint({ upstream: standby.url });
    url = `postgres://postgres@${endpoint.host}:${endpoint.port}/postgres`;
  });
  after(() => endpoint.stop());

  const grouped = 'count(*), sum(value) FROM reading';
  const inHours = "date_bin('1 hour', at, TIMESTAMPTZ 'epoch')";
  const cases = {
    TUMBLE: [
      `SELECT TUMBLE(at, INTERVAL '1 hour') AS w, place, ${grouped} GROUP BY w, place`,
      `SELECT ${inHours} AS w, place, ${grouped} GROUP BY w, place`,
    ],
    // The one that asks for statistics first.
    HOP: [
      `SELECT HOP(at, INTERVAL '1 hour', INTERVAL '2 hours') AS w, place, ${grouped} GROUP BY w, place`,
      `SELECT ${inHours} - back AS w, place, ${grouped},
              (VALUES (INTERVAL '0'), (INTERVAL '1 hour')) AS step (back) GROUP BY w, place`,
    ],
    // Every place was read each 21 seconds.
    SESSION: [
      `SELECT SESSION(at, INTERVAL '1 minute') AS w, place, ${grouped} GROUP BY w, place`,
      `SELECT min(at) AS w, place, ${grouped} GROUP BY place`,
    ],
  } as const;

  it('is one', async () => {
    const { rows } = await withClient(url, (client) => client.query('SELECT pg_is_in_recovery()'));
    assert.deepEqual(rows, [{ pg_is_in_recovery: true }]);
  });

  for (const [kind, [ours, byHand]] of Object.entries(cases)) {
    it(`answers ${kind}`, async () => {
      await withClient(url, async (client) => {
        const got = await client.query(`${ours} ORDER BY w, place`);
        const wanted = await client.query(`${byHand} ORDER BY w, place`);
        assert.ok(wanted.rows.length > 0);
        assert.deepEqual(got.rows, wanted.rows);
      });
    });
  }
});
