import assert from 'node:assert/strict';
import { pgoutputMessage } from '../pgoutput/message-type.ts';
import { type Captured, openCaptured, withStreams } from '../testing/captured-frames.ts';

const long = 'x'.repeat(10_000);

describe('captured changes', function () {
  this.timeout(60_000);

  let captured: Captured;

  before(async () => {
    captured = await openCaptured();
  });

  after(() => captured.close());

  /** Operation, table, before and after of what the statements change. */
  async function changesOf(sql: string) {
    await captured.client.query(sql);
    return (await captured.changes()).map(({ operation, table, before, after }) => [
      operation,
      table?.name,
      before,
      after,
    ]);
  }

  it('have of the old row what the replica identity gives', async () => {
    assert.deepEqual(
      await changesOf(`
        CREATE TABLE by_key (a text, id int PRIMARY KEY);
        INSERT INTO by_key VALUES ('x', 1), (NULL, 2);
        UPDATE by_key SET a = 'y' WHERE id = 1;
        UPDATE by_key SET id = 3 WHERE id = 2;
        DELETE FROM by_key WHERE id = 3`),
      [
        ['INSERT', 'by_key', undefined, ['x', '1']],
        ['INSERT', 'by_key', undefined, [null, '2']],
        ['UPDATE', 'by_key', undefined, ['y', '1']],
        ['UPDATE', 'by_key', [undefined, '2'], [null, '3']],
        ['DELETE', 'by_key', [undefined, '3'], undefined],
      ],
    );
    assert.deepEqual(
      await changesOf(`
        CREATE TABLE by_index (a text NOT NULL UNIQUE, id int PRIMARY KEY);
        ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_a_key;
        INSERT INTO by_index VALUES ('x', 1);
        UPDATE by_index SET a = 'y';
        DELETE FROM by_index`),
      [
        ['INSERT', 'by_index', undefined, ['x', '1']],
        ['UPDATE', 'by_index', ['x', undefined], ['y', '1']],
        ['DELETE', 'by_index', ['y', undefined], undefined],
      ],
    );
    assert.deepEqual(
      await changesOf(`
        CREATE TABLE whole (a text, id int);
        ALTER TABLE whole REPLICA IDENTITY FULL;
        INSERT INTO whole VALUES (NULL, 1);
        UPDATE whole SET a = '';
        DELETE FROM whole`),
      [
        ['INSERT', 'whole', undefined, [null, '1']],
        ['UPDATE', 'whole', [null, '1'], ['', '1']],
        ['DELETE', 'whole', ['', '1'], undefined],
      ],
    );
    await captured.client.query('CREATE TABLE keyless (id int); INSERT INTO keyless VALUES (1)');
    const [insert] = await captured.changes();
    assert.equal(insert?.table?.replicaIdentity, 'default');
    assert.deepEqual(
      insert?.table?.columns.map(({ isKey }) => isKey),
      [false],
    );
  });

  it('do not say what long values are that stay, unless the old row is there', async () => {
    const sql = (table: string, identity: string) => `
      CREATE TABLE ${table} (id int PRIMARY KEY, doc text, n int);
      ALTER TABLE ${table} ALTER doc SET STORAGE EXTERNAL;
      ALTER TABLE ${table} REPLICA IDENTITY ${identity};
      INSERT INTO ${table} VALUES (1, '${long}', 1);
      UPDATE ${table} SET n = 2;
      UPDATE ${table} SET doc = NULL`;
    assert.deepEqual((await changesOf(sql('toast', 'DEFAULT'))).slice(1), [
      ['UPDATE', 'toast', undefined, ['1', undefined, '2']],
      ['UPDATE', 'toast', undefined, ['1', null, '2']],
    ]);
    assert.deepEqual((await changesOf(sql('toast_whole', 'FULL'))).slice(1), [
      ['UPDATE', 'toast_whole', ['1', long, '1'], ['1', long, '2']],
      ['UPDATE', 'toast_whole', ['1', long, '2'], ['1', null, '2']],
    ]);
  });

  it('have a long key although it stays', async () => {
    const [, update] = await changesOf(`
      CREATE TABLE long_key (k text PRIMARY KEY, n int);
      ALTER TABLE long_key ALTER k SET STORAGE EXTERNAL;
      INSERT INTO long_key VALUES ('${'k'.repeat(2500)}', 1);
      UPDATE long_key SET n = 2`);
    const key = 'k'.repeat(2500);
    assert.deepEqual(update, ['UPDATE', 'long_key', [key, undefined], [key, '2']]);
  });

  it('tell each table that is truncated', async () => {
    assert.deepEqual(
      await changesOf(`
        CREATE TABLE parent (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
        CREATE TABLE child (id int REFERENCES parent);
        CREATE TABLE other (id int);
        TRUNCATE parent, other RESTART IDENTITY CASCADE`),
      [
        ['TRUNCATE', 'parent', undefined, undefined],
        ['TRUNCATE', 'other', undefined, undefined],
        ['TRUNCATE', 'child', undefined, undefined],
      ],
    );
  });

  it('are of the root of a partitioned table', async () => {
    assert.deepEqual(
      await changesOf(`
        CREATE TABLE root (id int, a text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE leaf_1 (a text, id int NOT NULL);
        ALTER TABLE root ATTACH PARTITION leaf_1 FOR VALUES FROM (0) TO (10);
        CREATE TABLE leaf_2 PARTITION OF root FOR VALUES FROM (10) TO (20);
        INSERT INTO root VALUES (1, 'x');
        UPDATE root SET id = 2;
        UPDATE root SET id = 11;
        TRUNCATE root`),
      [
        ['INSERT', 'root', undefined, ['1', 'x']],
        ['UPDATE', 'root', ['1', undefined], ['2', 'x']],
        ['DELETE', 'root', ['2', undefined], undefined],
        ['INSERT', 'root', undefined, ['11', 'x']],
        ['TRUNCATE', 'root', undefined, undefined],
      ],
    );
  });

  it('are schema changes where a message says so', async () => {
    const schemaChange = {
      command: 'ALTER TABLE',
      tableOid: 4_294_967_295,
      schema: 'public',
      name: 'naïve "t"',
      rewritesRows: true,
    };
    const emit = 'SELECT pg_logical_emit_message($1, $2, $3)';
    const { client } = captured;
    await client.query('CREATE TABLE during (id int)');
    for (const [transactional, prefix, content] of [
      [true, 'heliosdb', JSON.stringify(schemaChange)],
      [false, 'heliosdb', JSON.stringify(schemaChange)],
      [true, 'other', JSON.stringify(schemaChange)],
      [true, 'heliosdb', 'settle'],
    ] as const) {
      await client.query(emit, [transactional, prefix, content]);
    }
    await client.query('INSERT INTO during VALUES (1)');
    const changes = await captured.changes();
    assert.deepEqual(
      changes.map(({ operation }) => operation),
      ['DDL', 'INSERT'],
    );
    assert.deepEqual(changes[0]?.schemaChange, schemaChange);
  });

  it('that are streamed are the same', async () => {
    const { client } = captured;
    await client.query(
      'CREATE TABLE big (id int PRIMARY KEY, a text); CREATE TABLE small (id int)',
    );
    await client.query('BEGIN');
    for (let part = 0; part < 6; part++) {
      await client.query('SAVEPOINT part');
      await client.query(
        `INSERT INTO big SELECT n, repeat('a', 50) FROM generate_series($1::int, $2::int) AS n`,
        [part * 500, part * 500 + 499],
      );
      await client.query(`UPDATE big SET id = id + 100000 WHERE id = ${part * 500}`);
      await client.query(`DELETE FROM big WHERE id = ${part * 500 + 1}`);
      if (part === 2) await client.query('TRUNCATE small');
      await client.query(part % 2 === 0 ? 'RELEASE part' : 'ROLLBACK TO part');
    }
    await client.query("SELECT pg_logical_emit_message(true, 'other', 'x')");
    await client.query('COMMIT');
    const kept = new Map<string, string>();
    let truncates = 0;
    const frames = withStreams(await captured.peek());
    const seen = new Set(frames.map(({ bytes }) => bytes[0]!));
    for (const { operation, before, after } of await captured.changes()) {
      if (before !== undefined) kept.delete(before[0]!);
      if (after !== undefined) kept.set(after[0]!, after[1]!);
      if (operation === 'TRUNCATE') truncates += 1;
    }
    const { streamStart, streamStop, streamAbort, streamCommit, insert } = pgoutputMessage;
    for (const type of [streamStart, streamStop, streamAbort, streamCommit]) {
      assert.ok(seen.has(type), String.fromCharCode(type));
    }
    assert.ok(frames.every(({ bytes, streamed }) => streamed || bytes[0] !== insert));
    assert.equal(truncates, 1);
    const rows = await captured.rows('SELECT id, a FROM big ORDER BY id');
    assert.deepEqual(
      [...kept].sort(([a], [b]) => Number(a) - Number(b)),
      rows,
    );
  });
});
