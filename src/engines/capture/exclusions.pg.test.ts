import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { Client } from 'pg';
import { eventually } from '../../app/eventually.ts';
import { CapturedDatabase } from '../../testing/crash/captured-database.ts';
import { Random, seedOfRun } from '../../testing/oracle/random.ts';

describe('columns that are kept out of the log', function () {
  this.timeout(120_000);
  const seed = seedOfRun();
  const random = new Random(seed);
  let captured: CapturedDatabase;

  before(async () => {
    captured = await CapturedDatabase.open();
    await captured.sql('CREATE TABLE kept (id int PRIMARY KEY, note text, amount int)');
  });

  after(() => captured.close());

  /** The columns of each captured row, by its id. */
  async function captures(): Promise<ReadonlyMap<number, readonly string[]>> {
    const found = new Map<number, readonly string[]>();
    for (const { table, after: row } of await captured.changes()) {
      if (table?.name !== 'kept' || row === undefined) continue;
      found.set(
        Number(row[0]),
        table.columns.map(({ name }) => name),
      );
    }
    return found;
  }

  function exclude(columns: readonly string[]): string {
    return `CALL heliosdb.exclude_columns(ARRAY[${columns.map((one) => `'public.kept.${one}'`)}])`;
  }

  function include(columns: readonly string[]): string {
    return `CALL heliosdb.include_columns(ARRAY[${columns.map((one) => `'public.kept.${one}'`)}])`;
  }

  it('are out from the commit on that says so, however late the WAL is read', async () => {
    const expected = new Map<number, readonly string[]>();
    const client = new Client({ connectionString: captured.url });
    await client.connect();
    let out = new Set<string>();
    for (let id = 1; id <= 150; id += 1) {
      if (random.chance(0.04)) {
        await captured.node.killAll();
        // Everything that follows is read later, or by the next one.
        if (random.chance(0.5)) await captured.node.start();
      }
      const columns = random.pick([['note'], ['amount'], ['note', 'amount']]);
      const isOut = random.chance(0.5);
      const isUndone = random.chance(0.2);
      await client.query('BEGIN');
      await client.query(isOut ? exclude(columns) : include(columns));
      await client.query(isUndone ? 'ROLLBACK' : 'COMMIT');
      if (!isUndone) {
        out = new Set([...out].filter((one) => !columns.includes(one)));
        for (const column of isOut ? columns : []) out.add(column);
      }
      await client.query('INSERT INTO kept VALUES ($1, $2, $3)', [id, 'a note', id]);
      expected.set(
        id,
        ['id', 'note', 'amount'].filter((one) => !out.has(one)),
      );
    }
    await client.query(include(['note', 'amount']));
    await client.end();
    await captured.node.killAll();
    await captured.node.start();
    assert.deepEqual(await captures(), expected, `HELIOSDB_SEED=${seed}`);
  });

  it('are not what somebody claims who may not say so', async () => {
    const claim = (columns: readonly string[]): string =>
      `SELECT pg_logical_emit_message(true, 'heliosdb', convert_to('${JSON.stringify({ excludedColumns: columns })}', 'UTF8'))`;
    await captured.sql(exclude(['note']));
    await captured.sql('CREATE ROLE anybody LOGIN');
    await captured.sql(claim(['public.kept.amount']), captured.urlOf('postgres', 'anybody'));
    await captured.sql(
      `BEGIN; ${claim([])}; ALTER TABLE kept ALTER id SET DEFAULT 7;
       INSERT INTO kept VALUES (1000, 'a note', 1); COMMIT`,
    );
    await captured.sql("INSERT INTO kept VALUES (1001, 'a note', 1)");
    await captured.sql(claim([]), captured.urlOf('postgres', 'anybody'));
    await captured.sql("INSERT INTO kept VALUES (1002, 'a note', 1)");
    await captured.sql(include(['note']));
    const found = await captures();
    const rows = [1000, 1001, 1002].map((id) => found.get(id));
    assert.deepEqual(rows, Array(3).fill(['id', 'amount']));
  });

  /** Says that `note` is out, in a commit that waits for a standby until the work is done. */
  async function whileUnseen(work: () => Promise<void>): Promise<void> {
    await captured.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await captured.sql('SELECT pg_reload_conf()');
    const client = new Client({ connectionString: captured.url });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const said = client.query(exclude(['note'])).catch(() => undefined);
    const waits = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    assert.ok(await eventually(async () => (await captured.sql(waits)).length > 0, 10_000));
    await work();
    await captured.sql(`SELECT pg_cancel_backend(${rows[0]?.pid})`);
    await said;
    await client.end();
    await captured.sql('ALTER SYSTEM RESET synchronous_standby_names');
    await captured.sql('SELECT pg_reload_conf()');
  }

  it('are out while the commit that says so waits for a standby', async () => {
    await whileUnseen(async () => {
      await captured.sql(
        "SET synchronous_commit = local; INSERT INTO kept VALUES (2001, 'a note', 1)",
      );
      assert.deepEqual((await captures()).get(2001), ['id', 'amount']);
    });
    await captured.sql("INSERT INTO kept VALUES (2002, 'a note', 1)");
    await captured.sql(include(['note']));
    await captured.sql("INSERT INTO kept VALUES (2003, 'a note', 1)");
    const found = await captures();
    assert.deepEqual([found.get(2001), found.get(2002)], Array(2).fill(['id', 'amount']));
    assert.deepEqual(found.get(2003), ['id', 'note', 'amount']);
  });

  /** Rows of a table that is called otherwise from time to time. */
  async function peopleCaptured(): Promise<unknown[]> {
    return (await captured.changes()).flatMap(({ operation, table, after: row }) =>
      operation === 'INSERT' && /^(people|persons|former)$/.test(table?.name ?? '') ? [row] : [],
    );
  }

  const renames = [
    ['ALTER TABLE people RENAME tax TO "Tax No"', 'people'],
    ['ALTER TABLE people RENAME TO persons', 'persons'],
    ['ALTER SCHEMA shop RENAME TO "Shop.2"', '"Shop.2".persons'],
    ['ALTER TABLE "Shop.2".persons SET SCHEMA public', 'public.persons'],
  ] as const;

  for (const isWithin of [false, true]) {
    const when = isWithin ? 'in the transaction that writes to it' : 'before it is written to';
    it(`stay out when they, their table or its schema are renamed ${when}`, async () => {
      await captured.sql(`CREATE SCHEMA shop; CREATE TABLE shop.people (id int PRIMARY KEY)`);
      await captured.sql('ALTER TABLE shop.people ADD tax text');
      await captured.sql('CALL heliosdb.exclude_columns(ARRAY[$$shop.people.tax$$])');
      const before = (await peopleCaptured()).length;
      for (const [index, [rename, table]] of renames.entries()) {
        const write = `INSERT INTO ${table} VALUES (${index}, 'a secret')`;
        const path = 'SET search_path = shop, public';
        if (isWithin) await captured.sql(`${path}; BEGIN; ${rename}; ${write}; COMMIT`);
        else for (const one of [rename, write]) await captured.sql(`${path}; ${one}`);
      }
      await captured.sql('ALTER TABLE public.persons RENAME TO former');
      await captured.sql('CREATE TABLE persons (id int PRIMARY KEY, "Tax No" text)');
      await captured.sql(`INSERT INTO persons VALUES (4, 'of another table')`);
      await captured.sql(`INSERT INTO former VALUES (5, 'a secret')`);
      await captured.sql('CALL heliosdb.include_columns(ARRAY[$$public.former."Tax No"$$])');
      await captured.sql(`INSERT INTO former VALUES (6, 'no secret')`);
      const rows = (await peopleCaptured()).slice(before);
      const last = [['4', 'of another table'], ['5'], ['6', 'no secret']];
      assert.deepEqual(rows, [['0'], ['1'], ['2'], ['3'], ...last]);
      await captured.sql('DROP TABLE persons, former; DROP SCHEMA "Shop.2"');
    });
  }

  /** Rows of tables that were inserted, by the names of their columns. */
  async function rowsOf(...tables: readonly string[]): Promise<Record<string, unknown>[]> {
    return (await captured.changes()).flatMap(({ table, after }) =>
      after !== undefined && tables.includes(table?.name ?? '')
        ? [Object.fromEntries(table!.columns.map(({ name }, index) => [name, after[index]]))]
        : [],
    );
  }

  for (const [how, renaming] of [
    ['as if of a view', 'ALTER VIEW renamed RENAME COLUMN tax TO vat'],
    ['as an attribute of the type', 'ALTER TYPE renamed RENAME ATTRIBUTE tax TO vat'],
    [
      'by a transaction that is prepared',
      `BEGIN; ALTER TABLE renamed RENAME tax TO vat; PREPARE TRANSACTION 'renaming';
       COMMIT PREPARED 'renaming'`,
    ],
  ] as const) {
    it(`stay out when they are renamed ${how}`, async () => {
      const before = (await rowsOf('renamed')).length;
      await captured.sql('DROP TABLE IF EXISTS renamed');
      await captured.sql('CREATE TABLE renamed (id int PRIMARY KEY, tax text)');
      await captured.sql("CALL heliosdb.exclude_columns(ARRAY['renamed.tax'])");
      for (const statement of renaming.split(/(?<=');/)) await captured.sql(statement);
      await captured.sql("INSERT INTO renamed VALUES (1, 'a secret')");
      assert.deepEqual((await rowsOf('renamed')).slice(before), [{ id: '1' }]);
    });
  }

  it('stay out when they are renamed while nothing is captured', async () => {
    await captured.sql('CREATE TABLE asleep (id int PRIMARY KEY, tax text)');
    await captured.sql("CALL heliosdb.exclude_columns(ARRAY['asleep.tax'])");
    await captured.node.killAll();
    await captured.sql('ALTER TABLE asleep RENAME tax TO vat');
    await captured.sql("INSERT INTO asleep VALUES (1, 'a secret')");
    await captured.sql('ALTER TABLE asleep RENAME vat TO moms');
    await captured.sql("INSERT INTO asleep VALUES (2, 'a secret')");
    await captured.node.start();
    assert.deepEqual(await rowsOf('asleep'), [{ id: '1' }, { id: '2' }]);
  });

  it('stay out when their table becomes a partition, or stops being one', async () => {
    await captured.sql(`
      CREATE TABLE parted (id int PRIMARY KEY, tax text) PARTITION BY RANGE (id);
      CREATE TABLE first_part PARTITION OF parted FOR VALUES FROM (0) TO (10);
      CREATE TABLE second_part PARTITION OF parted FOR VALUES FROM (20) TO (30);
      CREATE TABLE alone (id int PRIMARY KEY, tax text)`);
    await captured.sql("CALL heliosdb.exclude_columns(ARRAY['parted.tax', 'alone.tax'])");
    await captured.sql("INSERT INTO parted VALUES (1, 'a secret')");
    await captured.sql('ALTER TABLE parted DETACH PARTITION first_part');
    await captured.sql("INSERT INTO first_part VALUES (2, 'a secret')");
    await captured.sql("CALL heliosdb.include_columns(ARRAY['parted.tax'])");
    await captured.sql("INSERT INTO parted VALUES (21, 'no secret')");
    // Read before the table is attached: who reads later sees that it is a partition now.
    assert.equal((await rowsOf('parted')).length, 2);
    await captured.sql('ALTER TABLE parted ATTACH PARTITION alone FOR VALUES FROM (10) TO (20)');
    await captured.sql("INSERT INTO parted VALUES (11, 'a secret of alone')");
    assert.deepEqual(await rowsOf('parted', 'first_part', 'alone'), [
      { id: '1' },
      { id: '2' },
      { id: '21', tax: 'no secret' },
      { id: '11' },
    ]);
  });

  it('stay out of a large transaction that renames them itself', async () => {
    await captured.sql('CREATE TABLE bulky (id int PRIMARY KEY, tax text, note text)');
    await captured.sql("CALL heliosdb.exclude_columns(ARRAY['bulky.tax'])");
    await captured.sql(`BEGIN; ALTER TABLE bulky RENAME tax TO vat;
      ALTER TABLE bulky RENAME note TO remark;
      INSERT INTO bulky SELECT n, 'a secret', 'no secret' FROM generate_series(1, 5000) AS n;
      COMMIT`);
    await captured.sql("INSERT INTO bulky VALUES (5001, 'a secret', 'no secret')");
    const rows = await rowsOf('bulky');
    assert.equal(rows.length, 5001);
    assert.ok(rows.every((row) => !('vat' in row)));
    assert.deepEqual(rows.at(-1), { id: '5001', remark: 'no secret' });
  });

  it('are taken in alone, by the names they have now or had', async () => {
    const notices: string[] = [];
    const client = new Client({ connectionString: captured.url });
    client.on('notice', ({ message }) => notices.push(message ?? ''));
    await client.connect();
    const say = (verb: string, column: string) =>
      client.query(`CALL heliosdb.${verb}_columns(ARRAY['${column}'])`);
    await client.query('CREATE TABLE kin (id int PRIMARY KEY, c text)');
    await say('exclude', 'kin.c');
    // Another table gets the name, and another column.
    await client.query('ALTER TABLE kin RENAME TO elder');
    await client.query('CREATE TABLE kin (id int PRIMARY KEY, c text)');
    await say('include', 'elder.c');
    await client.query("INSERT INTO elder VALUES (1, 'taken in')");
    await client.query("INSERT INTO kin VALUES (2, 'a secret')");
    await client.query('ALTER TABLE kin RENAME c TO d');
    await client.query('ALTER TABLE kin ADD c text');
    await say('include', 'kin.c');
    await client.query("INSERT INTO kin VALUES (3, 'a secret', 'taken in')");
    await say('include', 'kin.d');
    await client.query("INSERT INTO kin VALUES (4, 'taken in', 'taken in')");
    // What a name meant before it was taken in does not count any more.
    await say('exclude', 'kin.c');
    await client.query("INSERT INTO kin VALUES (5, 'taken in', 'a secret')");
    await say('include', 'kin.d');
    await client.end();
    assert.deepEqual(await rowsOf('kin', 'elder'), [
      { id: '1', c: 'taken in' },
      { id: '2' },
      { id: '3', c: 'taken in' },
      { id: '4', d: 'taken in', c: 'taken in' },
      { id: '5', d: 'taken in' },
    ]);
    assert.deepEqual(notices, ['column "public"."kin"."d" is not excluded']);
  });

  it('stay out when names were exchanged before the WAL is read', async () => {
    await captured.sql('CREATE TABLE late (id int PRIMARY KEY, a text, b text, c text)');
    await captured.sql('ALTER TABLE late DROP a');
    await captured.sql("CALL heliosdb.exclude_columns(ARRAY['late.b'])");
    await captured.node.killAll();
    await captured.sql(`BEGIN; ALTER TABLE late RENAME b TO x;
      INSERT INTO late VALUES (1, 'a secret', 'none');
      ALTER TABLE late RENAME c TO y; ALTER TABLE late RENAME x TO c; COMMIT`);
    await captured.sql("INSERT INTO late VALUES (2, 'a secret', 'none')");
    await captured.sql('ALTER TABLE late DROP c; ALTER TABLE late ADD c text');
    await captured.node.start();
    await captured.sql("INSERT INTO late VALUES (3, 'none', 'none')");
    const rows = await rowsOf('late');
    assert.ok(
      rows.every((row) => !Object.values(row).includes('a secret')),
      JSON.stringify(rows),
    );
    // What was guessed while it was behind is over.
    await captured.sql("INSERT INTO late VALUES (4, 'none', 'none')");
    assert.deepEqual((await rowsOf('late')).at(-1), { id: '4', y: 'none', c: 'none' });
  });

  it('do not make capture wait for whoever says something', async () => {
    await captured.sql("CALL heliosdb.exclude_columns(ARRAY['waiting.c'])");
    const client = new Client({ connectionString: captured.url });
    await client.connect();
    await client.query('CREATE TABLE waiting (id int PRIMARY KEY, c text)');
    await client.query("BEGIN; CALL heliosdb.exclude_columns(ARRAY['waiting.c', 'waiting.d'])");
    await captured.sql("INSERT INTO waiting VALUES (1, 'a secret')");
    assert.deepEqual(await rowsOf('waiting'), [{ id: '1' }]);
    await client.query('ROLLBACK');
    await client.end();
  });

  it('can have names as long as those of Postgres', async () => {
    const long = 'a'.repeat(80);
    await captured.sql(`CREATE TABLE long_names (id int PRIMARY KEY, ${long} text)`);
    await captured.sql(`CALL heliosdb.exclude_columns(ARRAY['long_names.${long}'])`);
    await captured.sql("INSERT INTO long_names VALUES (1, 'a secret')");
    assert.deepEqual(await rowsOf('long_names'), [{ id: '1' }]);
  });

  it('make nobody wait who alters tables, and no transaction fail', async () => {
    await captured.sql('CREATE TABLE first (id int PRIMARY KEY, a text)');
    await captured.sql('CREATE TABLE second (id int PRIMARY KEY, a text)');
    await captured.sql("CALL heliosdb.exclude_columns(ARRAY['first.a', 'second.a', 'third.a'])");
    const clients = [1, 2].map(() => new Client({ connectionString: captured.url }));
    const notices: unknown[] = [];
    for (const client of clients) {
      await client.connect();
      client.on('notice', ({ message }) => notices.push(message));
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
    }
    for (const [index, table] of ['first', 'second'].entries()) {
      await clients[index]!.query("SET LOCAL statement_timeout = '150ms'");
      await clients[index]!.query(`ALTER TABLE ${table} RENAME a TO b`);
    }
    for (const client of clients) await client.query('COMMIT').then(() => client.end());
    assert.deepEqual(notices, []);
    await captured.sql("INSERT INTO first VALUES (1, 'a secret')");
    await captured.sql("INSERT INTO second VALUES (2, 'a secret')");
    assert.deepEqual(await rowsOf('first', 'second'), [{ id: '1' }, { id: '2' }]);
  });

  it('are out of a log that begins while the commit that says so waits for a standby', async () => {
    await whileUnseen(async () => {
      await captured.settled(captured.logOf());
      await captured.node.killAll();
      rmSync(captured.node.logDirectory, { recursive: true });
      await captured.node.start();
      await captured.fails('55P03');
    });
    await captured.is('streaming');
    await captured.sql("INSERT INTO kept VALUES (3001, 'a note', 1)");
    assert.deepEqual((await captures()).get(3001), ['id', 'amount']);
  });
});
