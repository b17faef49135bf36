import assert from 'node:assert/strict';
import { CapturedDatabase } from '../../testing/crash/captured-database.ts';
import { anonymousBytes } from '../../testing/process-memory.ts';

describe('capture', function () {
  this.timeout(60_000);
  let captured: CapturedDatabase;

  before(async () => {
    captured = await CapturedDatabase.open();
  });

  after(() => captured.close());

  it('leaves out a schema change that was rolled back, also of a transaction sent in progress', async () => {
    await captured.sql(`CREATE TABLE kept (id integer PRIMARY KEY);
      CREATE TABLE undone (id integer PRIMARY KEY)`);
    await captured.sql(`BEGIN;
      SAVEPOINT s; ALTER TABLE undone ADD COLUMN a integer; ALTER TABLE undone ADD COLUMN b integer;
      INSERT INTO undone SELECT n, n, n FROM generate_series(1, 3000) AS n; ROLLBACK TO s;
      ALTER TABLE kept ADD COLUMN a integer;
      INSERT INTO kept SELECT n FROM generate_series(1, 3000) AS n;
      COMMIT`);
    const changes = await captured.changes();
    const altered = changes.flatMap(({ schemaChange }) =>
      schemaChange?.command === 'ALTER TABLE' ? [schemaChange.name] : [],
    );
    assert.deepEqual(altered, ['kept']);
    const own = changes.filter(({ table }) => table?.name === 'kept');
    assert.deepEqual(
      own.map(({ position }) => position.seq),
      Array.from({ length: 3000 }, (_, n) => n + 1),
    );
  });

  it('has the updates of a partition from the moment it is a table of its own', async () => {
    await captured.sql(`CREATE TABLE whole (id integer PRIMARY KEY) PARTITION BY LIST (id);
      CREATE TABLE part PARTITION OF whole DEFAULT; INSERT INTO whole VALUES (1)`);
    await captured.sql('ALTER TABLE whole DETACH PARTITION part; UPDATE part SET id = 2');
    const updates = (await captured.changes()).filter(({ operation }) => operation === 'UPDATE');
    assert.deepEqual(
      updates.map(({ table, after }) => [table?.name, after]),
      [['part', ['2']]],
    );
  });

  it('follows tables that are made by a session that applies somebody else’s changes', async () => {
    await captured.sql(`SET session_replication_role = replica;
      CREATE TABLE applied (id integer PRIMARY KEY);
      INSERT INTO applied VALUES (1); UPDATE applied SET id = 2; DELETE FROM applied`);
    const own = (await captured.changes()).filter(({ table }) => table?.name === 'applied');
    assert.deepEqual(
      own.map(({ operation }) => operation),
      ['INSERT', 'UPDATE', 'DELETE'],
    );
  });

  it('never shows more confirmed than the log has', async () => {
    await captured.sql('CREATE TABLE shown (id integer PRIMARY KEY)');
    for (let n = 0; n < 40; n += 1) {
      await captured.sql(`INSERT INTO shown VALUES (${n})`);
      const [row] = await captured.sql(
        'SELECT log_end, confirmed, confirmed <= log_end AS fits FROM heliosdb.cdc_status',
      );
      assert.equal(row?.['fits'], true, JSON.stringify(row));
    }
  });

  it('takes nothing for changed when a table is dropped while it looks', async () => {
    await Promise.all(
      Array.from({ length: 4 }, async (_, n) => {
        for (let round = 0; round < 30; round += 1) {
          await captured.sql(
            `CREATE TABLE brief_${n} (id integer PRIMARY KEY); DROP TABLE brief_${n}`,
          );
        }
      }),
    );
    assert.equal((await captured.status()).error, null);
  });

  it('takes a transaction of any size in the memory it is given', async () => {
    const engine = captured.node.enginePid!;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, anonymousBytes(engine));
    }, 20);
    try {
      await captured.sql(`CREATE TABLE large (id integer PRIMARY KEY, note text);
        ALTER TABLE large ALTER note SET STORAGE PLAIN`);
      await captured.sql(`BEGIN;
        INSERT INTO large SELECT n, repeat('x', 2000) FROM generate_series(1, 80000) AS n;
        SAVEPOINT s;
        INSERT INTO large SELECT n, repeat('y', 2000) FROM generate_series(80001, 100000) AS n;
        ROLLBACK TO s; COMMIT`);
      const reader = captured.logOf();
      await captured.settled(reader);
      await reader.close();
    } finally {
      clearInterval(watch);
    }
    const own = (await captured.changes()).filter(({ table }) => table?.name === 'large');
    assert.deepEqual([own.length, own.at(-1)?.after?.[0]], [80_000, '80000']);
    assert.ok(most < 300 * 2 ** 20, `${most} bytes`);
  });

  it('goes on where the server cannot decode a transaction in progress', async () => {
    const rows = (from: number): string =>
      `INSERT INTO undecoded SELECT n, repeat('x', 1000)
         FROM generate_series(${from}, ${from + 199}) AS n`;
    await captured.sql('CREATE TABLE behind (id integer PRIMARY KEY)');
    await captured.sql(`BEGIN;
      CREATE TABLE undecoded (id integer PRIMARY KEY, note text); ${rows(1)};
      SAVEPOINT s; ALTER TABLE undecoded ADD COLUMN a integer; ${rows(201)}; ROLLBACK TO s;
      ${rows(401)}; DROP TABLE undecoded; COMMIT`);
    await captured.sql('INSERT INTO behind VALUES (1)');
    assert.deepEqual(await captured.inserted('behind'), ['1']);
    const inserted = await captured.inserted('undecoded');
    assert.deepEqual([inserted[0], inserted.at(-1), inserted.length], ['1', '600', 400]);
  });
});
