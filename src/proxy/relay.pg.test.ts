import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import postgres from 'postgres';
import { encodeFrame } from '../protocol/frame-writer.ts';
import { clientMessage } from '../protocol/message-types.ts';
import { requireCommand } from '../testing/require-service.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import type { ProxyServer } from './proxy-server.ts';
import { proxyUnderTest } from './testing/proxy-under-test.ts';
import {
  bind,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  describeStatement,
  errorOf,
  execute,
  flush,
  parse,
  query,
  sync,
  tagsOf,
  typesOf,
  valuesOf,
  WireClient,
} from './testing/wire-client.ts';

describe('relay', function () {
  this.timeout(20_000);
  let proxy: ProxyServer;
  let database: string;

  before(async () => {
    ({ proxy } = await proxyUnderTest());
    database = await (await testPostgres()).createDatabase();
  });
  after(() => proxy.stop());

  describe('of raw messages', () => {
    let client: WireClient;
    beforeEach(async () => {
      client = await WireClient.connect(proxy.address, { database });
    });
    afterEach(() => client.close());

    it('answers Flush without ReadyForQuery and Sync with it', async () => {
      client.send(parse('SELECT 1'), describeStatement(), flush);
      assert.equal(typesOf(await client.until('T')), '1tT');
      client.send(bind(), execute(), flush);
      assert.equal(typesOf(await client.until('C')), '2DC');
      client.send(sync);
      assert.equal(typesOf(await client.until('Z')), 'Z');
    });

    it('suspends a portal at max_rows', async () => {
      const text = 'SELECT * FROM generate_series(1, 5)';
      client.send(parse(text), bind(), describePortal(), execute('', 2), execute('', 9), sync);
      assert.equal(typesOf(await client.until('Z')), '12TDDsDDDCZ');
    });

    it('skips to Sync after an error and goes on', async () => {
      client.send(parse('SELECT nowhere'), bind(), execute(), query('SELECT 1'), sync);
      assert.equal(typesOf(await client.until('Z')), 'EZ');
      assert.equal(typesOf(await client.query('SELECT 1; SELECT 2')), 'TDCTDCZ');
    });

    it('answers the empty query and a function call', async () => {
      assert.equal(typesOf(await client.query('')), 'IZ');
      const oidOfInt4abs = 1397;
      const body = Buffer.alloc(16);
      body.writeUInt32BE(oidOfInt4abs, 0);
      body.writeUInt16BE(1, 6); // one argument, as text
      body.writeUInt32BE(2, 8);
      body.write('-3', 12);
      client.send(encodeFrame(clientMessage.functionCall, body));
      const messages = await client.until('Z');
      assert.equal(typesOf(messages), 'VZ');
      assert.equal(messages[0]?.body.toString('utf8', 4), '3');
      assert.equal(typesOf(await client.query('SELECT 1')), 'TDCZ');
    });

    it('copies in and out, one after the other in one Query', async () => {
      client.send(query('CREATE TEMPORARY TABLE c (a int); COPY c FROM STDIN; COPY c TO STDOUT'));
      assert.equal(typesOf(await client.until('G')), 'CG');
      client.send(copyData('1\n2\n'), copyDone);
      assert.equal(typesOf(await client.until('Z')), 'CHddcCZ');
    });

    it('copies in by the extended protocol, with and without an early Sync', async () => {
      await client.query('CREATE TEMPORARY TABLE c (a int)');
      client.send(parse('COPY c FROM STDIN'), bind(), execute(), sync);
      assert.equal(typesOf(await client.until('G')), '12G');
      client.send(copyData('1\n'), sync, flush, copyData('2\n'), copyDone, sync);
      assert.equal(typesOf(await client.until('Z')), 'CZ');
      client.send(parse('COPY c FROM STDIN'), bind(), execute(), copyData('3\n'), copyDone, sync);
      assert.equal(typesOf(await client.until('Z')), '12GCZ');
      assert.deepEqual(valuesOf(await client.query('SELECT sum(a) FROM c')), ['6']);
    });

    it('ends a failed or bad copy as Postgres does', async () => {
      await client.query('CREATE TEMPORARY TABLE c (a int)');
      client.send(query('COPY c FROM STDIN'));
      await client.until('G');
      client.send(copyFail('changed my mind'));
      assert.equal(errorOf(await client.until('Z'))['C'], '57014');
      client.send(parse('COPY c FROM STDIN'), bind(), execute());
      client.send(copyData('not a number\n'), copyData('1\n'), copyDone, sync);
      assert.equal(typesOf(await client.until('Z')), '12GEZ');
      assert.deepEqual(tagsOf(await client.query('SELECT 1')), ['SELECT 1']);
    });

    it('lets Postgres answer bytes that are no message, and outlives it', async () => {
      for (const bytes of [
        Buffer.from('51000000', 'hex'),
        Buffer.from('5100000000', 'hex'),
        Buffer.from('51ffffffff00', 'hex'),
        Buffer.from('0100000004', 'hex'),
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      ]) {
        const broken = await WireClient.connect(proxy.address, { database });
        broken.send(bytes);
        broken.socket.end();
        await broken.ended();
      }
      assert.equal(typesOf(await client.query('SELECT 1')), 'TDCZ');
    });

    it('takes what a client sends without waiting for its login', async () => {
      const eager = await WireClient.connect(proxy.address, 'silent');
      eager.send(
        serialize.startup({ user: 'postgres', database }),
        query('SELECT 41'),
        query('SELECT 42'),
      );
      await eager.until('Z');
      assert.deepEqual(valuesOf(await eager.until('Z')), ['41']);
      assert.deepEqual(valuesOf(await eager.until('Z')), ['42']);
      eager.close();
    });

    it('passes a message larger than it looks into', async () => {
      const filler = 'x'.repeat(3_000_000);
      const messages = await client.query(`SELECT length('${filler}'), '${filler}'`);
      assert.deepEqual(valuesOf(messages), ['3000000']);
      assert.equal(messages.find((message) => message.type === 'D')?.body.length, 3_000_017);
    });

    it('carries far more pipelined messages than it remembers', async () => {
      const count = 20_000;
      const one = Buffer.concat([bind({ statement: 's' }), execute()]);
      client.send(parse('SELECT 1', 's'), ...new Array<Buffer>(count).fill(one), sync);
      const messages = await client.until('Z');
      assert.equal(messages.filter((message) => message.type === 'C').length, count);
    });
  });

  describe('of node-postgres', () => {
    let client: pg.Client;
    beforeEach(async () => {
      client = new pg.Client({ ...proxy.address, user: 'postgres', database });
      await client.connect();
    });
    afterEach(() => client.end());

    it('queries with parameters, prepared', async () => {
      for (const n of [1, 2, 3]) {
        const prepared = { name: 'n', text: 'SELECT $1::int AS n', values: [n] };
        assert.equal((await client.query(prepared)).rows[0].n, n);
      }
      await assert.rejects(client.query('SELECT $1::int', ['x']), { code: '22P02' });
    });

    it('hears notices and notifications', async () => {
      const notice = once(client, 'notice');
      await client.query("DO $$BEGIN RAISE NOTICE 'hello'; END$$");
      assert.equal((await notice)[0].message, 'hello');
      const notification = once(client, 'notification');
      await client.query('LISTEN heard');
      const other = new pg.Client({ ...proxy.address, user: 'postgres', database });
      await other.connect();
      await other.query("NOTIFY heard, 'loud and clear'");
      assert.equal((await notification)[0].payload, 'loud and clear');
      await other.end();
    });

    it('reads many wide rows', async () => {
      const { rows } = await client.query(
        "SELECT i, repeat('x', 10000) AS w FROM generate_series(1, 3000) i",
      );
      assert.equal(rows.length, 3000);
      assert.ok(rows.every((row, at) => row.i === at + 1 && row.w.length === 10_000));
    });

    it('reads binary results', async () => {
      const { rows } = await client.query({
        text: 'SELECT $1::int8 AS n',
        values: ['12'],
        binary: true,
      } as pg.QueryConfig);
      assert.equal(String(rows[0].n), '12');
    });
  });

  describe('of postgres.js', () => {
    let sql: postgres.Sql;
    beforeEach(() => {
      sql = postgres({ ...proxy.address, user: 'postgres', database, max: 3, onnotice: () => {} });
    });
    afterEach(() => sql.end());

    it('pipelines, reads by cursor, and rolls back', async () => {
      const sums = await Promise.all(
        Array.from({ length: 50 }, (_, i) => sql`SELECT ${i}::int + 1 AS n`),
      );
      assert.deepEqual(
        sums.map((rows) => rows[0]?.['n']),
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
      let seen = 0;
      for await (const rows of sql`SELECT generate_series(1, 250) AS n`.cursor(40)) {
        seen += rows.length;
      }
      assert.equal(seen, 250);
      await sql`CREATE TABLE rolled (id int)`;
      await assert.rejects(
        sql.begin(async (transaction) => {
          await transaction`INSERT INTO rolled VALUES (1)`;
          await transaction.savepoint(async (inner) => inner`INSERT INTO rolled VALUES (2)`);
          await transaction`SELECT 1 / 0`;
        }),
        { code: '22012' },
      );
      assert.deepEqual((await sql`SELECT count(*)::int AS n FROM rolled`)[0]?.['n'], 0);
    });

    it('copies both ways', async () => {
      await sql`CREATE TABLE copied (a int, b text)`;
      const writable = await sql`COPY copied FROM STDIN`.writable();
      for (let i = 0; i < 10_000; i++) writable.write(`${i}\tsome text\n`);
      writable.end();
      await once(writable, 'finish');
      const readable = await sql`COPY copied TO STDOUT`.readable();
      let lines = 0;
      for await (const chunk of readable) lines += String(chunk).split('\n').length - 1;
      assert.equal(lines, 10_000);
    });

    it('listens', async () => {
      let hear: (payload: string) => void = () => undefined;
      const heard = new Promise<string>((resolve) => {
        hear = resolve;
      });
      await sql.listen('there', (payload) => hear(payload));
      await sql.notify('there', 'now');
      assert.equal(await heard, 'now');
    });
  });

  describe('of psql', () => {
    const psql = async (args: readonly string[], input = ''): Promise<string> => {
      const child = spawn('psql', ['-X', '-A', '-t', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
      const output: Buffer[] = [];
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => output.push(chunk));
      }
      child.stdin.end(input);
      await once(child, 'close');
      return Buffer.concat(output).toString();
    };
    const target = (more = ''): string => {
      const { host, port } = proxy.address;
      return `host=${host} port=${port} user=postgres dbname=${database} ${more}`;
    };

    before(function () {
      requireCommand(this, 'psql');
    });

    it('runs a script with copies, cursors and errors', async () => {
      const output = await psql(
        [target()],
        `CREATE TABLE p (a int);
         COPY p FROM STDIN;
1
2
\\.
         BEGIN; DECLARE c CURSOR FOR SELECT a FROM p; FETCH ALL c; COMMIT;
         SELECT 1 / 0;
         COPY p TO STDOUT;
         \\set FETCH_COUNT 1
         SELECT a * 10 FROM p;`,
      );
      assert.match(output, /COPY 2\nBEGIN\nDECLARE CURSOR\n1\n2\nCOMMIT\n/);
      assert.match(output, /division by zero/);
      assert.match(output, /10\n20\n/);
    });

    it('opens a replication connection', async () => {
      const output = await psql([target('replication=database'), '-c', 'IDENTIFY_SYSTEM']);
      assert.match(output, new RegExp(`^\\d+\\|1\\|[0-9A-F]+/[0-9A-F]+\\|${database}\n$`));
      assert.match(
        await psql([target('replication=true'), '-c', 'SHOW wal_level']),
        /logical|replica/,
      );
    });

    it('is told about a database that is not there, in the words of Postgres', async () => {
      const output = await psql([`${target()} dbname=nothing_there`, '-c', 'SELECT 1']);
      assert.match(output, /FATAL: {2}database "nothing_there" does not exist/);
    });
  });
});
