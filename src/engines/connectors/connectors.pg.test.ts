import assert from 'node:assert/strict';
import { Client } from 'pg';
import { eventually } from '../../app/eventually.ts';
import { Random, seedOfRun } from '../../testing/oracle/random.ts';
import { ConnectedDatabase } from './testing/connected-database.ts';
import { DeliveredFiles } from './testing/delivered-files.ts';

describe('connectors', function () {
  this.timeout(120_000);
  const seed = seedOfRun();
  const random = new Random(seed);
  let database: ConnectedDatabase;
  let client: Client;

  before(async () => {
    database = await ConnectedDatabase.open();
    client = database.client;
  });

  afterEach(() => database.dropConnectors());

  after(() => database.close());

  function files(name: string): DeliveredFiles {
    return new DeliveredFiles(database.captured.node.directory, name);
  }

  function create(name: string, { directory }: DeliveredFiles, more = '', by?: Client) {
    const options = { directory };
    return database.create(name, { type: 'file', options, more, ...(by ? { by } : {}) });
  }

  function call(procedure: string, ...values: readonly string[]): Promise<unknown> {
    return client.query(`CALL heliosdb.${procedure}(${values.join(', ')})`);
  }

  const ordersOnly = `, tables => jsonb_build_array(jsonb_build_object(
    'oid', 'orders'::regclass::oid::bigint, 'columns', NULL))`;

  it('deliver what is committed behind the statement that made them, and nothing else', async () => {
    const delivered = files('exact');
    const early = new Client({ connectionString: database.captured.url });
    await early.connect();
    await client.query("INSERT INTO orders VALUES (1, 'committed before')");
    await early.query('BEGIN');
    await early.query("INSERT INTO orders VALUES (2, 'written before, committed behind')");
    await client.query('BEGIN');
    await client.query("INSERT INTO orders VALUES (3, 'of the transaction itself')");
    await create('exact', delivered);
    await client.query("INSERT INTO orders VALUES (4, 'of the transaction itself')");
    await client.query('COMMIT');
    await client.query("INSERT INTO orders VALUES (5, 'behind')");
    await early.query('COMMIT');
    await early.end();
    await client.query("INSERT INTO orders VALUES (6, 'last')");
    await delivered.has(6);
    assert.deepEqual(delivered.inserted(), [5, 2, 6]);
    const { type, owner, state } = await database.until(
      'exact',
      (shown) => shown['delivered'] === '3',
    );
    assert.deepEqual([type, owner, state], ['file', 'postgres', 'running']);
  });

  it('deliver the tables and columns that were chosen', async () => {
    const delivered = files('chosen');
    const chosen = `, tables => jsonb_build_array(jsonb_build_object(
      'oid', 'orders'::regclass::oid::bigint, 'columns', '[]'::jsonb))`;
    await create('chosen', delivered, chosen);
    await client.query("INSERT INTO others VALUES (1); INSERT INTO orders VALUES (2, 'a')");
    await client.query('TRUNCATE orders; DELETE FROM others; INSERT INTO orders VALUES (3)');
    await delivered.has(3);
    assert.deepEqual(
      delivered.all().map(({ operation, table, after }) => [operation, table, after]),
      [
        ['INSERT', 'orders', { id: 2 }],
        ['TRUNCATE', 'orders', undefined],
        ['INSERT', 'orders', { id: 3 }],
      ],
    );
  });

  it('leave nothing out while they are disabled, or changed', async () => {
    const delivered = files('switched');
    await create('switched', delivered);
    for (let id = 1; id <= 60; id += 1) {
      if (id % 10 === 3) {
        await call('enable_cdc_connector', "'switched'", 'false');
      }
      if (id % 10 === 6) {
        await call('set_cdc_connector', "'switched'", `'{"batch_size": "7"}'`);
      }
      if (id % 10 === 9) {
        await call('enable_cdc_connector', "'switched'", 'true');
        await delivered.has(id - 1);
      }
      await client.query(`INSERT INTO orders VALUES (${id})`);
    }
    await delivered.has(60);
    assert.deepEqual([...new Set(delivered.inserted())], numbers(1, 60));
  });

  it('begin anew when they are dropped and made again', async () => {
    const delivered = files('again');
    await create('again', delivered);
    await client.query('INSERT INTO orders VALUES (1)');
    await delivered.has(1);
    await call('drop_cdc_connector', "'again'");
    await client.query('INSERT INTO orders VALUES (2)');
    await create('again', delivered);
    await client.query('INSERT INTO orders VALUES (3)');
    await delivered.has(3);
    assert.deepEqual(delivered.inserted(), [1, 3]);
  });

  it('deliver once more from where a replay says', async () => {
    const delivered = files('replayed');
    await create('replayed', delivered);
    await client.query('INSERT INTO orders VALUES (1)');
    const { rows } = await client.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    await client.query('INSERT INTO orders VALUES (2)');
    await delivered.has(2);
    await call('replay_cdc_connector', "'replayed'", `'${rows[0].lsn}'`);
    await client.query('INSERT INTO orders VALUES (3)');
    await delivered.has(3);
    assert.deepEqual(delivered.inserted(), [1, 2, 2, 3]);
  });

  it('have the rights of their owner, as they are now', async () => {
    await client.query('CREATE ROLE clerk LOGIN; GRANT heliosdb_admin TO clerk');
    const clerk = new Client({ connectionString: database.captured.urlOf('postgres', 'clerk') });
    await clerk.connect();
    const [chosen, all] = [files('of-clerk'), files('all-of-clerk')];
    await assert.rejects(create('of_clerk', chosen, ordersOnly, clerk), { code: '42501' });
    await client.query('GRANT SELECT ON orders TO clerk');
    await create('of_clerk', chosen, ordersOnly, clerk);
    await create('all_of_clerk', all, '', clerk);
    await client.query('INSERT INTO orders VALUES (1); INSERT INTO others VALUES (2)');
    await chosen.has(1);
    await client.query('REVOKE SELECT ON orders FROM clerk');
    // What it may see is asked once a second: what comes before that is delivered.
    let last = 2;
    const isSeen = await eventually(async () => {
      last += 1;
      await client.query(`INSERT INTO orders VALUES (${last})`);
      return (await database.shown('of_clerk'))['state'] === 'failing';
    }, 30_000);
    assert.ok(isSeen);
    const { error_code: code, hint } = await database.until(
      'of_clerk',
      ({ state }) => state === 'failing',
    );
    assert.deepEqual([code, String(hint).includes('GRANT SELECT')], ['42501', true]);
    await client.query('GRANT SELECT ON orders TO clerk');
    await chosen.has(last);
    await database.until('of_clerk', ({ state }) => state === 'running');
    await all.has(1);
    assert.ok(!all.inserted().includes(2));
    await clerk.end();
  });

  it('deliver everything at least once, in order, whatever is killed', async () => {
    const delivered = files('killed');
    await create('killed', delivered);
    const { node } = database.captured;
    let id = 0;
    const insert = async (count: number): Promise<void> => {
      for (const until = id + count; id < until; id += 1) {
        await client.query(`INSERT INTO orders VALUES (${id})`);
      }
    };
    const failpoints = ['connector.deliver', 'connector.delivered', 'connector.cursor'];
    for (const failpoint of random.shuffled([...failpoints, ...failpoints])) {
      await insert(random.between(50, 400));
      await node.killAll();
      node.forgetFailpoints();
      await node.start(`${failpoint}:1`);
      await insert(50);
      const isHit = await eventually(() => node.failpointsHit().includes(failpoint), 30_000);
      assert.ok(isHit, `${failpoint} was not hit`);
    }
    await node.killAll();
    await node.start();
    await delivered.has(id - 1);
    const first = [...new Set(delivered.inserted())];
    assert.deepEqual(first, numbers(0, id - 1), `HELIOSDB_SEED=${seed}`);
  });
});

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
