import assert from 'node:assert/strict';
import type { ProxyServer } from './proxy-server.ts';
import { MarkedRewriter } from './testing/marked-rewriter.ts';
import { proxyUnderTest } from './testing/proxy-under-test.ts';
import {
  bind,
  describeStatement,
  errorOf,
  execute,
  flush,
  parse,
  query,
  statusOf,
  sync,
  typesOf,
  valuesOf,
  WireClient,
} from './testing/wire-client.ts';

describe('statements probed with a survey', function () {
  this.timeout(20_000);
  let proxy: ProxyServer;
  let rewriter: MarkedRewriter;
  let client: WireClient;

  before(async () => {
    rewriter = new MarkedRewriter();
    ({ proxy } = await proxyUnderTest({ rewriter }));
  });
  after(() => proxy.stop());
  beforeEach(async () => {
    client = await WireClient.connect(proxy.address);
    await client.query('CREATE TEMPORARY TABLE kept (id int)');
  });
  afterEach(() => client.close());

  const kept = async (): Promise<string[]> =>
    valuesOf(await client.query('SELECT count(*) FROM kept'));
  const surveyed = () => {
    const discovery = rewriter.inputs.at(-1)?.discovery;
    return discovery?.kind === 'done' ? discovery.surveyed : undefined;
  };
  const leftBehind = async (): Promise<string[]> =>
    valuesOf(
      await client.query(
        "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'heliosdb%' UNION ALL " +
          "SELECT count(*) FROM pg_cursors WHERE name LIKE 'heliosdb%'",
      ),
    );

  it('get its value, and nobody sees it', async () => {
    assert.equal(typesOf(await client.query('SELECT tumble_end(-1)')), 'TDCZ');
    assert.equal(surveyed(), 'épostgres');
    client.send(parse('SELECT tumble_end(-1)'), describeStatement(), bind(), execute(), sync);
    assert.equal(typesOf(await client.until('Z')), '1tT2DCZ');
    assert.equal(surveyed(), 'épostgres');
  });

  it('leave no transaction open', async () => {
    const inserted = 'INSERT INTO kept VALUES (abs(1)), (tumble_end(-1))';
    const messages = await client.query(inserted);
    assert.equal(typesOf(messages), 'CZ');
    assert.equal(statusOf(messages), 'I');
    await client.query('ROLLBACK');
    assert.deepEqual(await kept(), ['2']);
    assert.equal(typesOf(await client.query('VACUUM kept')), 'CZ');
  });

  it('keep a Query of several statements one implicit transaction', async () => {
    const messages = await client.query(
      'INSERT INTO kept VALUES (tumble_end(-1)); INSERT INTO kept VALUES (2)',
    );
    assert.equal(statusOf(messages), 'I');
    await client.query('SELECT tumble_end(-1); INSERT INTO kept VALUES (3); SELECT 1 / 0');
    assert.deepEqual(await kept(), ['2']);
    assert.equal(statusOf(await client.query('SELECT tumble_end(-1); BEGIN')), 'T');
  });

  it('have none where its end would end what the client has begun', async () => {
    client.send(parse('INSERT INTO kept VALUES (7)'), bind(), execute(), flush);
    await client.until('C');
    client.send(query('SELECT tumble_end(-1); SELECT 1 / 0'));
    assert.equal(typesOf(await client.until('Z')), 'TDCEZ');
    assert.equal(surveyed(), null);
    assert.deepEqual(await kept(), ['0']);
  });

  it('get null for NULL and for no row', async () => {
    await client.query('SELECT tumble_end(-1) /* survey SELECT NULL::text end */');
    assert.equal(surveyed(), null);
    await client.query("SELECT tumble_end(-1) /* survey SELECT 'x' WHERE false end */");
    assert.equal(surveyed(), null);
  });

  it('leave statements, portals and the transaction as they are', async () => {
    client.send(parse('SELECT 7'), bind(), sync);
    await client.until('Z');
    await client.query('BEGIN; INSERT INTO kept VALUES (1); DECLARE c CURSOR FOR SELECT 5');
    client.send(parse('SELECT 7'), bind(), parse('SELECT tumble_end(-1)', 'mine'), execute(), sync);
    assert.deepEqual(valuesOf(await client.until('Z')), ['7']);
    assert.deepEqual(await leftBehind(), ['0', '0']);
    assert.deepEqual(valuesOf(await client.query('FETCH c')), ['5']);
    assert.equal(statusOf(await client.query('COMMIT')), 'I');
    assert.deepEqual(await kept(), ['1']);
  });

  it('leave what was begun without BEGIN as it is, in the extended protocol too', async () => {
    client.send(parse('SELECT tumble_end(-1)', 'prepared'), flush);
    await client.until('1');
    assert.equal(surveyed(), 'épostgres');
    assert.equal(statusOf(await client.query('INSERT INTO kept VALUES (1)')), 'I');
    assert.equal(typesOf(await client.query('VACUUM kept')), 'CZ');
    client.send(
      parse('VACUUM kept'),
      parse('SELECT tumble_end(-1)', 'other'),
      bind(),
      execute(),
      sync,
    );
    assert.equal(typesOf(await client.until('Z')), '112CZ');
    assert.equal(surveyed(), null);
  });

  it('go on without it after an error, or answer the error that cannot be undone', async () => {
    const failing = ['1 / 0', 'nowhere'];
    for (const expression of failing) {
      const text = `SELECT tumble_end(-1) /* survey SELECT ${expression} end */`;
      const messages = await client.query(text);
      assert.equal(typesOf(messages), 'TDCZ');
      assert.equal(statusOf(messages), 'I');
      assert.equal(surveyed(), null);
      client.send(parse(text), bind(), execute(), sync);
      assert.equal(typesOf(await client.until('Z')), '12DCZ');
      for (const send of [() => query(text), () => Buffer.concat([parse(text), bind(), sync])]) {
        await client.query('BEGIN');
        client.send(send());
        const failed = await client.until('Z');
        assert.equal(errorOf(failed)['C'], expression === 'nowhere' ? '42703' : '22012');
        assert.equal(statusOf(failed), 'E');
        await client.query('ROLLBACK');
      }
      assert.equal(typesOf(await client.query('SELECT tumble_end(-1)')), 'TDCZ');
    }
  });

  it('answer a cancel request and a termination that meet the survey', async () => {
    const asleep = 'SELECT tumble_end(-1) /* survey SELECT pg_sleep(1000)::text end */';
    const administrator = await WireClient.connect(proxy.address);
    const pid = valuesOf(await client.query('SELECT pg_backend_pid()'))[0];
    const end = async (how: string): Promise<void> => {
      const isAsleep = `SELECT count(*) FROM pg_stat_activity WHERE pid = ${pid} AND wait_event = 'PgSleep'`;
      while (valuesOf(await administrator.query(isAsleep))[0] !== '1');
      await administrator.query(`SELECT ${how}(${pid})`);
    };
    client.send(query(asleep));
    await end('pg_cancel_backend');
    assert.equal(errorOf(await client.until('Z'))['C'], '57014');
    client.send(parse('SELECT 1'), bind(), parse(asleep, 'sleeping'), bind({ portal: 'p' }), sync);
    // Not settled: no survey.
    assert.equal(typesOf(await client.until('Z')), '1212Z');
    client.send(parse(asleep), bind(), execute(), sync);
    await end('pg_cancel_backend');
    assert.equal(errorOf(await client.until('Z'))['C'], '57014');
    client.send(query(asleep));
    await end('pg_terminate_backend');
    assert.equal(errorOf(await client.ended())['C'], '57P01');
    administrator.close();
  });
});
