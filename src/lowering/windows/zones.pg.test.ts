import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { withClient } from '../../postgres/client.ts';
import { Random, seedOfRun } from '../../testing/oracle/random.ts';
import { runRewritten } from '../../testing/oracle/rewriting-client.ts';
import { expectedWindows, fillZoneTables, zoneTables } from '../../testing/oracle/zones.ts';
import { testPostgres } from '../../testing/test-postgres.ts';

const sizes: readonly string[] = ['1 day', '1 hour', '7 hours', '1 month'];
/** Changes at or over midnight, half-hour changes, a day left out, offsets in seconds. */
const alwaysTested: readonly string[] = [
  ...[
    'America/Havana',
    'America/St_Johns',
    'Pacific/Apia',
    'Australia/Lord_Howe',
    'Africa/Monrovia',
  ],
  ...[
    'America/Sao_Paulo',
    'Asia/Beirut',
    'America/New_York',
    'Pacific/Kwajalein',
    'America/Scoresbysund',
  ],
];
const sampledZones = 12;

describe('TUMBLE in every time zone', () => {
  it('is the definition around every change of the clock', async function () {
    const isComplete = process.env['HELIOSDB_CASES'] === 'all';
    this.timeout(isComplete ? 3_600_000 : 200_000);
    const seed = seedOfRun();
    const postgres = await testPostgres();
    await withClient(postgres.url(await postgres.createDatabase()), async (client) => {
      await client.query(
        `${zoneTables}; SET jit = off; SET statement_timeout = '30min'; SET TimeZone = 'UTC'`,
      );
      const zones = await zonesToTest(client, isComplete ? undefined : new Random(seed));
      await client.query('INSERT INTO zones.zone_names SELECT unnest($1::text[])', [zones]);
      for (const statement of fillZoneTables) await client.query(statement);
      await client.query(
        'CREATE TABLE got (z text, ts timestamptz, size text, s timestamptz, e timestamptz)',
      );
      for (const size of sizes) {
        const window = (edge: string) => `TUMBLE${edge}(ts, INTERVAL '${size}', timezone => z)`;
        const edges = `${window('')}, ${window('_END')}`;
        const text = `INSERT INTO got SELECT z, ts, '${size}', ${edges} FROM zones.instants`;
        const outcome = await runRewritten(client, { text }, true);
        assert.equal(outcome.kind, 'rows', JSON.stringify(outcome));
      }
      const about = `HELIOSDB_SEED=${seed}`;
      assert.deepEqual(await rowsOf(client, outside), [], `windows without their row, ${about}`);
      assert.deepEqual(await rowsOf(client, overlapping), [], `windows that overlap, ${about}`);
      assert.deepEqual(
        await rowsOf(client, different),
        [],
        `windows unlike the definition, ${about}`,
      );
      const counted = await rowsOf(client, 'SELECT count(*) > 10000 AS many FROM got');
      assert.deepEqual(counted, [{ many: true }]);
    });
  });
});

const outside = 'SELECT * FROM got WHERE (s <= ts AND ts < e) IS NOT TRUE ORDER BY z, ts LIMIT 10';

const overlapping = `
  SELECT * FROM (
    SELECT z, size, s, e, lead(s) OVER (PARTITION BY z, size ORDER BY s, e) AS next_s
    FROM (SELECT DISTINCT z, size, s, e FROM got) AS windows
  ) AS w WHERE next_s < e ORDER BY z, s LIMIT 10`;

const different = `
  SELECT z, ts, size, g.s AS got_s, g.e AS got_e, w.s AS wanted_s, w.e AS wanted_e
  FROM got AS g FULL JOIN (${expectedWindows}) AS w USING (z, ts, size)
  WHERE (g.s, g.e) IS DISTINCT FROM (w.s, w.e) ORDER BY z, ts LIMIT 10`;

async function rowsOf(client: Client, text: string): Promise<unknown[]> {
  return (await client.query<Record<string, unknown>>(text)).rows;
}

async function zonesToTest(client: Client, random: Random | undefined): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT name FROM pg_timezone_names WHERE name !~ '^(posix|right)/' ORDER BY name",
  );
  const names = rows.map(({ name }) => name);
  if (random === undefined) return names;
  return [...new Set([...alwaysTested, ...random.some(names, sampledZones)])];
}
