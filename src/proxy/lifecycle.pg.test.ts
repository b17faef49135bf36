import assert from 'node:assert/strict';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import { expectedResponsesMax } from '../core/limits.ts';
import { type TestPostgres, testPostgres } from '../testing/test-postgres.ts';
import { MarkedRewriter } from './testing/marked-rewriter.ts';
import { proxyUnderTest } from './testing/proxy-under-test.ts';
import { cancelRequest, startupPacket } from './testing/startup.ts';
import {
  bind,
  copyData,
  errorOf,
  execute,
  flush,
  parse,
  query,
  statusOf,
  sync,
  terminate,
  typesOf,
  valuesOf,
  WireClient,
} from './testing/wire-client.ts';

describe('session life cycle', function () {
  this.timeout(30_000);
  let postgres: TestPostgres;
  let direct: pg.Client;
  let under: Awaited<ReturnType<typeof proxyUnderTest>>;

  before(async () => {
    postgres = await testPostgres();
    direct = new pg.Client({ connectionString: postgres.url('postgres') });
    await direct.connect();
  });
  after(() => direct.end());
  beforeEach(async () => {
    under = await proxyUnderTest();
  });
  afterEach(() => under.proxy.stop());

  const pidOf = async (client: WireClient): Promise<number> =>
    Number(valuesOf(await client.query('SELECT pg_backend_pid()'))[0]);

  /** Asks until the server says so. */
  const untilServer = async (condition: string, ...values: unknown[]): Promise<void> => {
    for (;;) {
      const { rows } = await direct.query(`SELECT ${condition} AS holds`, values);
      if (rows[0].holds === true) return;
    }
  };
  const backendGone = (pid: number): Promise<void> =>
    untilServer('NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)', pid);
  const backendSleeps = (pid: number): Promise<void> =>
    untilServer(
      "EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep')",
      pid,
    );

  describe('cancel', () => {
    for (const minor of [0, 2]) {
      it(`reaches the backend with the keys of protocol 3.${minor}`, async function () {
        if (minor > 0 && (await serverVersion()) < 180_000) this.skip();
        const client = await WireClient.connect(under.address, 'silent');
        client.send(startupPacket({ user: 'postgres' }, minor));
        const greeting = await client.until('Z');
        const key = greeting.find((message) => message.type === 'K')?.body;
        assert.equal(key?.length, minor === 0 ? 8 : 36);
        const pid = await pidOf(client);
        client.send(query('SELECT pg_sleep(1000)'));
        await backendSleeps(pid);
        const canceller = await WireClient.connect(under.address, 'silent');
        canceller.send(cancelRequest(key));
        assert.deepEqual(await canceller.ended(), []);
        assert.equal(errorOf(await client.until('Z'))['C'], '57014');
        assert.equal(typesOf(await client.query('SELECT 1')), 'TDCZ');
        client.close();
        await under.witness.until(() => under.witness.closed.includes('cancel-request'));
      });
    }

    it('reaches a statement that is still being rewritten', async () => {
      let asked = 0;
      const stuck = await proxyUnderTest({
        rewriter: {
          rewrite: () => {
            asked++;
            return new Promise(() => undefined);
          },
        },
      });
      const client = await WireClient.connect(stuck.address, 'silent');
      client.send(startupPacket({ user: 'postgres' }));
      const key = (await client.until('Z')).find((message) => message.type === 'K')!.body;
      for (const send of [query('SELECT hop(1)'), Buffer.concat([parse('SELECT hop(1)'), sync])]) {
        const before = asked;
        client.send(send);
        while (asked === before) await new Promise((resolve) => setImmediate(resolve));
        const canceller = await WireClient.connect(stuck.address, 'silent');
        canceller.send(cancelRequest(key));
        await canceller.ended();
        const messages = await client.until('Z');
        assert.equal(errorOf(messages)['C'], '57014');
        assert.equal(statusOf(messages), 'I');
      }
      assert.equal(typesOf(await client.query('SELECT 1')), 'TDCZ');
      client.close();
      await stuck.proxy.stop();
    });

    const serverVersion = async (): Promise<number> => {
      const { rows } = await direct.query("SELECT current_setting('server_version_num')::int AS v");
      return rows[0].v;
    };
  });

  describe('a client that vanishes', () => {
    it('between statements leaves no backend', async () => {
      const client = await WireClient.connect(under.address);
      const pid = await pidOf(client);
      client.close();
      await backendGone(pid);
      await under.witness.until(() => under.witness.closed.includes('client-vanished'));
    });

    it('in a transaction gives its locks back', async () => {
      const client = await WireClient.connect(under.address);
      await client.query('BEGIN; SELECT pg_advisory_xact_lock(4711)');
      client.close();
      await untilServer('pg_try_advisory_lock(4711)');
      await direct.query('SELECT pg_advisory_unlock(4711)');
    });

    it('during a statement is noticed by a backend that looks', async () => {
      const client = await WireClient.connect(under.address);
      await client.query("SET client_connection_check_interval = '20ms'");
      const pid = await pidOf(client);
      client.send(query('SELECT pg_sleep(1000)'));
      await backendSleeps(pid);
      client.close();
      await backendGone(pid);
    });

    it('by a reset, or in the middle of a message, harms nobody', async () => {
      const bystander = await WireClient.connect(under.address);
      for (const cut of [1, 7, 20]) {
        const client = await WireClient.connect(under.address);
        const pid = await pidOf(client);
        client.send(query('SELECT 1, 2, 3, 4, 5').subarray(0, cut));
        await under.witness.until(() => under.witness.transferredBytes['client-to-server'] > 0);
        client.socket.resetAndDestroy();
        await backendGone(pid);
      }
      assert.equal(typesOf(await bystander.query('SELECT 1')), 'TDCZ');
      bystander.close();
    });

    it('during a copy leaves nothing of it', async () => {
      const table = `vanishing_${process.pid}`;
      await direct.query(`CREATE TABLE ${table} (a int)`);
      const client = await WireClient.connect(under.address);
      const pid = await pidOf(client);
      client.send(query(`COPY ${table} FROM STDIN`));
      await client.until('G');
      client.send(serialize.copyData(Buffer.from('1\n')));
      client.close();
      await backendGone(pid);
      const { rows } = await direct.query(`SELECT count(*)::int AS n FROM ${table}`);
      assert.equal(rows[0].n, 0);
      await direct.query(`DROP TABLE ${table}`);
    });

    it('right behind its startup packet leaves no backend', async () => {
      for (let round = 0; round < 20; round++) {
        const client = await WireClient.connect(under.address, 'silent');
        client.send(startupPacket({ user: 'postgres', application_name: 'hasty' }));
        client.socket.end();
        await client.ended();
      }
      await under.witness.until(() => under.witness.closed.length === 20);
      await untilServer(
        "NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'hasty')",
      );
    });

    it('behind a text that is being rewritten has it done all the same', async () => {
      const table = `claimed_${process.pid}`;
      const marked = await proxyUnderTest({ rewriter: new MarkedRewriter() });
      for (const [index, function_] of ['tumble', 'tumble_start'].entries()) {
        const client = await WireClient.connect(marked.address);
        client.send(query(`CREATE TABLE ${table}_${index} AS SELECT ${function_}(1)`), terminate);
        client.socket.end();
        await client.ended();
      }
      await marked.proxy.stop();
      const { rows } = await direct.query('SELECT FROM pg_class WHERE relname LIKE $1', [
        `${table}%`,
      ]);
      assert.equal(rows.length, 2);
      await direct.query(`DROP TABLE ${table}_0, ${table}_1`);
    });

    it('behind more than may be owed gets all of it', async () => {
      const count = expectedResponsesMax + 100;
      const client = await WireClient.connect(under.address);
      client.send(query('SELECT pg_sleep(0.1)'), ...new Array<Buffer>(count).fill(sync));
      client.socket.end();
      const messages = await client.ended();
      assert.equal(messages.filter(({ type }) => type === 'Z').length, count + 1);
    });

    it('having closed only its own half still gets its answers', async () => {
      const client = await WireClient.connect(under.address);
      client.send(query('SELECT 1'), query('SELECT 2'));
      client.socket.end();
      assert.deepEqual(valuesOf(await client.ended()), ['1', '2']);
    });
  });

  it('ends with Terminate, without a word in the log', async () => {
    const client = await WireClient.connect(under.address);
    client.send(terminate);
    assert.deepEqual(await client.ended(), []);
    await under.witness.until(() => under.witness.closed.length > 0);
    assert.deepEqual(under.witness.closed, ['terminated']);
    assert.deepEqual(
      under.witness.logged.filter(({ level }) => level !== 'debug'),
      [],
    );
  });

  it('passes the words of Postgres on when a backend ends during a copy', async () => {
    const table = `ended_copy_${process.pid}`;
    await direct.query(`CREATE TABLE ${table} (a text)`);
    const line = copyData(`${'x'.repeat(8000)}\n`);
    for (let round = 0; round < 5; round++) {
      const client = await WireClient.connect(under.address);
      const pid = await pidOf(client);
      client.send(query(`COPY ${table} FROM STDIN`));
      await client.until('G');
      const ended = client.ended();
      const pump = (): void => {
        if (!client.socket.writable) return;
        client.send(line);
        setImmediate(pump);
      };
      pump();
      await direct.query('SELECT pg_terminate_backend($1)', [pid]);
      assert.equal(errorOf(await ended)['C'], '57P01');
      client.close();
    }
    await direct.query(`DROP TABLE ${table}`);
  });

  it('passes the words of Postgres on when a backend is terminated', async () => {
    const client = await WireClient.connect(under.address);
    const pid = await pidOf(client);
    client.send(query('SELECT pg_sleep(1000)'));
    await backendSleeps(pid);
    await direct.query('SELECT pg_terminate_backend($1)', [pid]);
    const messages = await client.ended();
    assert.equal(errorOf(messages)['C'], '57P01');
    await under.witness.until(() => under.witness.closed.includes('server-closed'));
  });

  describe('drain', () => {
    it('ends idle sessions at once and takes nobody new', async () => {
      const client = await WireClient.connect(under.address);
      const pid = await pidOf(client);
      await under.proxy.drain(20_000);
      const error = errorOf(await client.ended());
      assert.equal(error['C'], '57P01');
      assert.equal(error['S'], 'FATAL');
      await backendGone(pid);
      const late = await WireClient.connect(under.address, 'silent');
      assert.deepEqual(await late.ended(), []);
    });

    it('lets a transaction end first', async () => {
      const client = await WireClient.connect(under.address);
      await client.query('BEGIN');
      const drained = under.proxy.drain(20_000);
      assert.equal(statusOf(await client.query('SELECT 1')), 'T');
      client.send(query('COMMIT'));
      assert.equal(statusOf(await client.until('Z')), 'I');
      assert.equal(errorOf(await client.ended())['C'], '57P01');
      await drained;
      assert.equal(under.proxy.stats.connectionsOpen, 0);
      assert.deepEqual(under.witness.closed, ['drained']);
    });

    it('waits for the Sync of what was begun without BEGIN', async () => {
      const client = await WireClient.connect(under.address);
      client.send(parse('SELECT 1'), bind(), execute(), flush);
      await client.until('C');
      const drained = under.proxy.drain(20_000);
      client.send(sync);
      assert.equal(statusOf(await client.until('Z')), 'I');
      assert.equal(errorOf(await client.ended())['C'], '57P01');
      await drained;
    });

    it('ends everything at the deadline', async () => {
      const busy = await WireClient.connect(under.address);
      await busy.query('BEGIN');
      const silent = await WireClient.connect(under.address, 'silent');
      const replication = await WireClient.connect(under.address, { replication: 'true' });
      await under.proxy.drain(50);
      assert.equal(errorOf(await busy.ended())['C'], '57P01');
      await silent.ended();
      await replication.ended();
      assert.equal(under.proxy.stats.connectionsOpen, 0);
    });
  });

  it('reads from the backend only as fast as the client reads', async () => {
    const client = await WireClient.connect(under.address);
    client.socket.pause();
    client.send(query("SELECT repeat('x', 1000000) FROM generate_series(1, 200)"));
    const sent = under.witness.transferredBytes;
    await under.witness.until(() => sent['server-to-client'] > 1_000_000);
    // The backend waits for the socket: it cannot hand over more than buffers hold.
    await untilServer(
      `EXISTS (SELECT FROM pg_stat_activity
               WHERE wait_event = 'ClientWrite' AND query LIKE '%generate_series(1, 200)%')`,
    );
    assert.ok(sent['server-to-client'] < 50_000_000, String(sent['server-to-client']));
    client.socket.resume();
    assert.equal((await client.until('Z')).length, 203);
    client.close();
  });
});
