import assert from 'node:assert/strict';
import { Client } from 'pg';
import { eventually } from '../../app/eventually.ts';
import { CapturedDatabase } from '../../testing/crash/captured-database.ts';

const table = 'CREATE TABLE orders (id integer PRIMARY KEY)';

const again = `CREATE PUBLICATION heliosdb_inserts FOR ALL TABLES
  WITH (publish = 'insert, truncate', publish_via_partition_root = true)`;

describe('publications of a capture', function () {
  this.timeout(60_000);
  let captured: CapturedDatabase;

  beforeEach(async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; INSERT INTO orders VALUES (1)`);
    assert.deepEqual(await captured.inserted('orders'), ['1']);
  });

  afterEach(() => captured.close());

  async function goesOnWhenTold(reason = /heliosdb_inserts/): Promise<void> {
    const { error } = await captured.fails('55000');
    assert.match(error ?? '', reason);
    await captured.node.killAll();
    await captured.node.start();
    await captured.fails('55000');
    await captured.sql('INSERT INTO orders VALUES (3)');
    await captured.sql('CALL heliosdb.resume_capture(true)');
    await captured.until(({ state, epoch }) => state === 'streaming' && epoch === 2, 'no epoch');
    await captured.sql('INSERT INTO orders VALUES (4)');
    assert.deepEqual(await captured.inserted('orders'), ['1', '4']);
  }

  it('are missed when somebody drops one while it streams', async () => {
    await captured.sql('DROP PUBLICATION heliosdb_inserts');
    await captured.sql('INSERT INTO orders VALUES (2)');
    await goesOnWhenTold();
  });

  it('are missed when somebody drops one while nobody streams', async () => {
    await captured.node.killAll();
    await captured.sql('DROP PUBLICATION heliosdb_inserts');
    await captured.sql('INSERT INTO orders VALUES (2)');
    await captured.node.start();
    await goesOnWhenTold();
  });

  for (const [what, statements] of [
    ['is made again', ['DROP PUBLICATION heliosdb_inserts', again]],
    ['publishes less', ["ALTER PUBLICATION heliosdb_inserts SET (publish = 'truncate')"]],
  ] as const) {
    it(`are missed when one ${what}`, async () => {
      for (const statement of statements) await captured.sql(statement);
      await goesOnWhenTold(/ublication/);
    });
  }

  it('are missed when one gets a row filter', async () => {
    await captured.sql('ALTER PUBLICATION heliosdb_updates SET TABLE orders WHERE (id > 100)');
    await goesOnWhenTold(/heliosdb_updates/);
  });

  /** While a transaction that has made a table has them locked. */
  async function whileLocked(work: () => Promise<void>): Promise<void> {
    const client = new Client({ connectionString: captured.url });
    await client.connect();
    try {
      await client.query('BEGIN; CREATE TABLE locking (id integer PRIMARY KEY)');
      await work();
      await client.query('COMMIT');
    } finally {
      await client.end();
    }
  }

  async function tableStatus(name: string): Promise<Record<string, unknown> | undefined> {
    const [row] = await captured.sql(
      `SELECT operations, problem, hint FROM heliosdb.cdc_tables WHERE table_name = '${name}'`,
    );
    return row;
  }

  it('say of a table which updates they do not have, when somebody else has them locked', async () => {
    await whileLocked(async () => {
      await captured.sql('CREATE TABLE late (id integer PRIMARY KEY, v integer)');
      await captured.sql('INSERT INTO late VALUES (1, 1); UPDATE late SET v = 2');
      const status = await tableStatus('late');
      assert.equal(status?.['problem'], 'updates and deletes are not captured yet');
      assert.match(String(status?.['hint']), /end it/);
    });
    const isListed = async (): Promise<boolean> =>
      (await tableStatus('late'))?.['problem'] === null;
    assert.ok(await eventually(isListed, 10_000));
    await captured.sql('UPDATE late SET v = 3');
    const seen = (await captured.changes()).filter(
      ({ table: of, schemaChange }) => of?.name === 'late' || schemaChange?.name === 'late',
    );
    assert.deepEqual(
      seen.map(({ operation, schemaChange }) => [operation, schemaChange?.rewritesRows]),
      [
        ['DDL', false],
        ['INSERT', undefined],
        ['DDL', true],
        ['UPDATE', undefined],
      ],
    );
  });

  it('let a table be written to that has lost its key while they are locked', async () => {
    await captured.sql('CREATE TABLE keyless (id integer PRIMARY KEY, v integer)');
    await captured.sql('INSERT INTO keyless VALUES (1, 1)');
    await whileLocked(async () => {
      await captured.sql('ALTER TABLE keyless DROP CONSTRAINT keyless_pkey');
      await captured.sql('UPDATE keyless SET v = 2');
      await captured.sql('DELETE FROM keyless');
    });
    const seen = (await captured.changes()).filter(({ table: of }) => of?.name === 'keyless');
    assert.deepEqual(
      seen.map(({ operation }) => operation),
      ['INSERT', 'UPDATE', 'DELETE'],
    );
  });

  it('let a table be written to that lost its key with the type of it', async () => {
    await captured.sql(`CREATE TYPE kind AS ENUM ('a'); CREATE DOMAIN code AS integer;
      CREATE TABLE typed (k kind PRIMARY KEY, v integer); INSERT INTO typed VALUES ('a', 1);
      CREATE TABLE coded (c code PRIMARY KEY, v integer); INSERT INTO coded VALUES (1, 1)`);
    await captured.sql('DROP TYPE kind CASCADE');
    await captured.sql('UPDATE typed SET v = 2');
    await captured.sql('DROP DOMAIN code CASCADE');
    await captured.sql('UPDATE coded SET v = 2');
  });

  it('follow what is dropped while a partition of something else is locked', async () => {
    await captured.sql(`CREATE TABLE whole (id integer PRIMARY KEY) PARTITION BY LIST (id);
      CREATE TABLE part PARTITION OF whole DEFAULT;
      CREATE TABLE named (id integer NOT NULL, v integer); CREATE UNIQUE INDEX by_id ON named (id);
      ALTER TABLE named REPLICA IDENTITY USING INDEX by_id; INSERT INTO named VALUES (1, 1);
      CREATE TABLE gone (id integer PRIMARY KEY)`);
    const client = new Client({ connectionString: captured.url });
    await client.connect();
    await client.query('BEGIN; TRUNCATE part');
    await captured.sql('DROP INDEX by_id');
    await captured.sql('UPDATE named SET v = 2');
    await captured.sql('DROP TABLE gone');
    await client.query('COMMIT');
    await client.end();
    const dropped = (await captured.changes()).filter(
      ({ schemaChange }) => schemaChange?.command === 'DROP TABLE',
    );
    assert.deepEqual(
      dropped.map(({ schemaChange }) => schemaChange?.name),
      ['gone'],
    );
  });

  it('leave tables alone that only inherit from one', async () => {
    await captured.sql(`CREATE TABLE parent (id integer PRIMARY KEY, v integer);
      CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1, 1)`);
    await captured.sql('UPDATE parent SET v = 2');
    assert.deepEqual((await tableStatus('parent'))?.['problem'], null);
    assert.match(String((await tableStatus('child'))?.['problem']), /no replica identity/);
  });
});
