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
      `BEGIN; ${claim(['public.kept.id'])}; ALTER TABLE kept ALTER id SET DEFAULT 7;
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
      operation === 'INSERT' && /^(people|persons)$/.test(table?.name ?? '') ? [row] : [],
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
      // As soon as it is there.
      await captured.sql('CALL heliosdb.exclude_columns(ARRAY[$$shop.people.tax$$])');
      await captured.sql('ALTER TABLE shop.people ADD tax text');
      const before = (await peopleCaptured()).length;
      for (const [index, [rename, table]] of renames.entries()) {
        const write = `INSERT INTO ${table} VALUES (${index}, 'a secret')`;
        const path = 'SET search_path = shop, public';
        if (isWithin) await captured.sql(`${path}; BEGIN; ${rename}; ${write}; COMMIT`);
        else for (const one of [rename, write]) await captured.sql(`${path}; ${one}`);
      }
      await captured.sql('ALTER TABLE public.persons RENAME TO former');
      await captured.sql('CREATE TABLE persons (id int PRIMARY KEY, "Tax No" text)');
      await captured.sql(`INSERT INTO persons VALUES (4, 'a secret of the next table')`);
      await captured.sql('CALL heliosdb.include_columns(ARRAY[$$public.persons."Tax No"$$])');
      await captured.sql(`INSERT INTO persons VALUES (5, 'no secret')`);
      const rows = (await peopleCaptured()).slice(before);
      assert.deepEqual(rows, [['0'], ['1'], ['2'], ['3'], ['4'], ['5', 'no secret']]);
      await captured.sql('DROP TABLE persons, former; DROP SCHEMA "Shop.2"');
    });
  }

  it('do not make a renaming that is prepared fail', async () => {
    await captured.sql('CREATE TABLE renamed (id int PRIMARY KEY, tax text)');
    await captured.sql('CALL heliosdb.exclude_columns(ARRAY[$$public.renamed.tax$$])');
    await captured.sql(
      "BEGIN; ALTER TABLE renamed RENAME tax TO vat; PREPARE TRANSACTION 'renaming'",
    );
    await captured.sql("COMMIT PREPARED 'renaming'");
    const [row] = await captured.sql(
      `SELECT excluded_columns @> ARRAY['"public"."renamed"."vat"'] AS is_out FROM heliosdb.capture`,
    );
    assert.equal(row?.['is_out'], true);
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
