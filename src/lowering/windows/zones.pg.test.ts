import assert from 'node:assert/strict';
import { Client } from 'pg';
import { Random, seedOfRun } from '../../testing/oracle/random.ts';
import { runRewritten } from '../../testing/oracle/rewriting-client.ts';
import {
  expectedHops,
  expectedTumbles,
  fillZoneTables,
  hopLengths,
  tumbleSizes,
  zoneTables,
} from '../../testing/oracle/zones.ts';
import { testPostgres } from '../../testing/test-postgres.ts';

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

describe('windows in every time zone', () => {
  const isComplete = process.env['HELIOSDB_CASES'] === 'all';
  let client: Client;
  let zones: readonly string[];
  const seed = seedOfRun();
  const about = `HELIOSDB_SEED=${seed}`;

  before(async function () {
    this.timeout(isComplete ? 3_600_000 : 200_000);
    const postgres = await testPostgres();
    client = new Client(postgres.url(await postgres.createDatabase()));
    await client.connect();
    await client.query(
      `${zoneTables}; SET jit = off; SET statement_timeout = '30min'; SET TimeZone = 'UTC'`,
    );
    zones = await zonesToTest(client, isComplete ? undefined : new Random(seed));
    await client.query('INSERT INTO zones.zone_names SELECT unnest($1::text[])', [zones]);
    for (const statement of fillZoneTables) await client.query(statement);
    await client.query(
      'CREATE TABLE tumbles (z text, ts timestamptz, size text, s timestamptz, e timestamptz);' +
        'CREATE TABLE hops (LIKE tumbles)',
    );
  });

  after(() => client.end());

  it('are those of the definition for TUMBLE around every change of the clock', async function () {
    this.timeout(3_600_000);
    for (const size of tumbleSizes) {
      const window = (edge: string) => `TUMBLE${edge}(ts, INTERVAL '${size}', timezone => z)`;
      const edges = `${window('')}, ${window('_END')}`;
      await runWindows(`INSERT INTO tumbles SELECT z, ts, '${size}', ${edges} FROM zones.instants`);
    }
    await assertDefinition('tumbles', expectedTumbles);
    assert.deepEqual(await rowsOf(client, overlapping), [], `windows that overlap, ${about}`);
  });

  it('are those of the definition for HOP around every change of the clock', async function () {
    this.timeout(3_600_000);
    const fewer = isComplete ? zones : zones.slice(0, alwaysTested.length);
    await client.query('DELETE FROM zones.instants WHERE z <> ALL ($1)', [fewer]);
    for (const zone of fewer) {
      for (const [slide, size] of hopLengths) {
        const lengths = `INTERVAL '${slide}', INTERVAL '${size}'`;
        const window = (edge: string) => `HOP${edge}(ts, ${lengths}, timezone => '${zone}')`;
        await runWindows(
          `INSERT INTO hops SELECT z, ts, '${slide}/${size}', ${window('')} AS s, ` +
            `${window('_END')} AS e FROM zones.instants WHERE z = '${zone}' GROUP BY z, ts, s, e`,
        );
      }
    }
    await assertDefinition('hops', expectedHops);
  });

  async function runWindows(text: string): Promise<void> {
    const outcome = await runRewritten(client, { text }, true);
    assert.equal(outcome.kind, 'rows', JSON.stringify(outcome));
  }

  async function assertDefinition(table: string, definition: string): Promise<void> {
    const different = `
      SELECT z, ts, size, g.s AS got_s, g.e AS got_e, w.s AS wanted_s, w.e AS wanted_e
      FROM ${table} AS g FULL JOIN (${definition}) AS w USING (z, ts, size, s)
      WHERE g.e IS DISTINCT FROM w.e ORDER BY z, ts LIMIT 10`;
    const outside = `SELECT * FROM ${table} WHERE (s <= ts AND ts < e) IS NOT TRUE LIMIT 10`;
    assert.deepEqual(await rowsOf(client, outside), [], `windows without their row, ${about}`);
    assert.deepEqual(await rowsOf(client, different), [], `unlike the definition, ${about}`);
    const counted = await rowsOf(client, `SELECT count(*) > 10000 AS many FROM ${table}`);
    assert.deepEqual(counted, [{ many: true }]);
  }
});

const overlapping = `
  SELECT * FROM (
    SELECT z, size, s, e, lead(s) OVER (PARTITION BY z, size ORDER BY s, e) AS next_s
    FROM (SELECT DISTINCT z, size, s, e FROM tumbles) AS windows
  ) AS w WHERE next_s < e ORDER BY z, s LIMIT 10`;

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
