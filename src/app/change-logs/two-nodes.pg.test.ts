import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { withClient } from '../../postgres/client.ts';
import {
  startEndpoint,
  type TestEndpoint,
  temporaryDirectory,
} from '../../testing/test-endpoint.ts';
import { type TestPostgres, testPostgres } from '../../testing/test-postgres.ts';
import { eventually } from '../eventually.ts';

const patienceMs = 30_000;

describe('nodes that share a database', function () {
  this.timeout(120_000);

  let postgres: TestPostgres;
  let database: string;
  let upstream: string;
  const directories: string[] = [];
  const nodes: TestEndpoint[] = [];

  before(async () => {
    postgres = await testPostgres();
    database = await postgres.createDatabase();
    upstream = postgres.url(database);
  });

  after(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
    await withClient(postgres.url('postgres'), (client) =>
      client.query(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
          WHERE database = $1 AND NOT active`,
        [database],
      ),
    );
  });

  async function start(...flags: string[]): Promise<TestEndpoint> {
    const dataDirectory = temporaryDirectory();
    directories.push(dataDirectory);
    const node = await startEndpoint({ upstream, dataDirectory, flags });
    nodes.push(node);
    return node;
  }

  it('read the log of the one that captures, and follow it to another', async () => {
    const first = await start('--roles', 'proxy,engine,http', '--capture', 'on');
    const reading = await start('--roles', 'proxy,http');
    await sql('CREATE TABLE orders (id int PRIMARY KEY, note text)');
    assert.ok(await eventually(async () => (await state()) === 'streaming', patienceMs));
    await sql(`INSERT INTO orders VALUES (1, 'é'), (2, NULL)`);
    const seen = (): Promise<boolean> => shows(reading, ['1', '2']);
    assert.ok(await eventually(seen, patienceMs), await explain(reading));
    assert.deepEqual(await events(reading), await events(first));

    const second = await start('--roles', 'proxy,engine,http', '--capture', 'on');
    assert.ok(await shows(second, ['1', '2']), await explain(second));
    const owner = await ownerOf();
    await kill(first);
    assert.ok(await eventually(async () => (await ownerOf()) !== owner, patienceMs));
    assert.ok(await eventually(async () => (await state()) === 'streaming', patienceMs));
    await sql(`INSERT INTO orders VALUES (3, 'taken over')`);
    for (const node of [reading, second]) {
      const sees = async (): Promise<boolean> => (await ids(node)).includes('3');
      assert.ok(await eventually(sees, patienceMs), await explain(node));
    }
    assert.deepEqual(await events(reading), await events(second));
  });

  it('keep their secret from everybody else', async () => {
    const role = `heliosdb_reader_${process.pid}`;
    await withClient(upstream, async (client) => {
      const { rows } = await client.query('SELECT length(value) AS bytes FROM heliosdb.secrets');
      assert.deepEqual(rows, [{ bytes: 32 }]);
      await client.query(`CREATE ROLE ${role}; GRANT heliosdb_admin, pg_monitor TO ${role}`);
      try {
        await client.query(`SET ROLE ${role}`);
        await assert.rejects(client.query('SELECT * FROM heliosdb.secrets'), { code: '42501' });
      } finally {
        await client.query(`RESET ROLE; DROP ROLE ${role}`);
      }
    });
  });

  function sql(text: string): Promise<unknown> {
    return withClient(upstream, (client) => client.query(text));
  }

  async function state(): Promise<string> {
    return withClient(upstream, async (client) => {
      const { rows } = await client.query<{ state: string }>(
        'SELECT state FROM heliosdb.cdc_status',
      );
      return rows[0]?.state ?? '';
    }).catch(() => '');
  }

  async function ownerOf(): Promise<string> {
    return withClient(upstream, async (client) => {
      const { rows } = await client.query<{ owner: string }>(
        'SELECT owner FROM heliosdb.capture_state',
      );
      return rows[0]?.owner ?? '';
    });
  }

  async function events(node: TestEndpoint): Promise<readonly Record<string, unknown>[]> {
    const user = encodeURIComponent(postgres.user);
    const url = `postgres://${user}@${node.host}:${node.port}/${database}`;
    return withClient(url, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(
        'SHOW CDC EVENTS FROM orders LIMIT 10',
      );
      return rows;
    });
  }

  async function ids(node: TestEndpoint): Promise<readonly string[]> {
    const rows = await events(node).catch(() => []);
    return rows.flatMap(({ operation, after }) =>
      operation === 'INSERT' ? String((after as { id: number }).id) : [],
    );
  }

  async function shows(node: TestEndpoint, wanted: readonly string[]): Promise<boolean> {
    return (await ids(node)).join() === wanted.join();
  }

  async function explain(node: TestEndpoint): Promise<string> {
    const answer = await events(node).then(JSON.stringify, (error: unknown) => {
      const { code, message, detail } = error as Record<string, string>;
      return `${code} ${message} ${detail}`;
    });
    return `${answer}\n${node.output()}`;
  }

  /** All of a node at once, as when its machine loses power. */
  async function kill(node: TestEndpoint): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${node.httpPort}/health`);
    const { parts } = (await response.json()) as { parts: { pids: number[] }[] };
    node.child.kill('SIGKILL');
    for (const pid of parts.flatMap(({ pids }) => pids)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It went with its supervisor.
      }
    }
    nodes.splice(nodes.indexOf(node), 1);
  }
});
