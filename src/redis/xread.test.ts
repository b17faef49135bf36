import assert from 'node:assert/strict';
import { redisReadBytesMax, redisReadEntriesMax, redisStreamsPerReadMax } from '../core/limits.ts';
import { RespClient, type RespValue } from './testing/resp-client.ts';
import { startTestRedis, type TestRedis } from './testing/test-redis.ts';
import { until } from './testing/until.ts';

const key = 'heliosdb:cdc:orders';

describe('redis XREAD', () => {
  let redis: TestRedis;
  let client: RespClient;

  beforeEach(async () => {
    redis = await startTestRedis();
    client = await RespClient.connect(redis.address.port);
  });

  afterEach(async () => {
    client.close();
    await redis.close();
  });

  it('gives the fields of an entry in order', async () => {
    const orders = redis.log.table('orders');
    redis.log.commit([orders, 'INSERT', '1', '5.00'], [orders, 'DELETE', '1', '5.00']);
    const common = ['table', 'public.orders', 'lsn', '0/3E8', 'xid', '1000'];
    const time = ['committed_at', '2026-01-01T00:00:00.001000Z'];
    const row = '{"id":"1","total":"5.00"}';
    assert.deepEqual(await client.call('XREAD', 'STREAMS', key, '0'), [
      [
        key,
        [
          [
            '1000-0',
            ['operation', 'INSERT', ...common, ...time, 'key', '{"id":"1"}', 'after', row],
          ],
          [
            '1000-1',
            ['operation', 'DELETE', ...common, ...time, 'key', '{"id":"1"}', 'before', row],
          ],
        ],
      ],
    ]);
  });

  it('goes on behind any id, a transaction and its middle', async () => {
    const orders = redis.log.table('orders');
    redis.log.commit([orders, 'INSERT', '1', null], [orders, 'INSERT', '2', null]);
    redis.log.commit([orders, 'INSERT', '3', null]);
    const all = ['1000-0', '1000-1', '1100-0'];
    for (const [id, from] of [
      ['0', 0],
      ['0-0', 0],
      ['999-5', 0],
      ['1000', 1],
      ['1000-0', 1],
      ['1000-1', 2],
      ['1000-18446744073709551615', 2],
      ['1050', 2],
    ] as const) {
      assert.deepEqual(idsOf(await client.call('XREAD', 'STREAMS', key, id)), all.slice(from), id);
    }
    for (const id of ['1100-0', '1100-1', '$', '18446744073709551615-18446744073709551615']) {
      assert.equal(await client.call('XREAD', 'STREAMS', key, id), null, id);
    }
    assert.deepEqual(idsOf(await client.call('XREAD', 'STREAMS', key, '+')), ['1100-0']);
    const counted = await client.call('XREAD', 'COUNT', '2', 'STREAMS', key, '0');
    assert.deepEqual(idsOf(counted), all.slice(0, 2));
  });

  it('reads several streams, and all tables in the order of their commits', async () => {
    const orders = redis.log.table('orders');
    const lines = redis.log.table('lines', ['id'], 'sales');
    redis.log.commit([orders, 'INSERT', '1', null], [lines, 'INSERT', '1']);
    redis.log.commit([lines, 'INSERT', '2']);
    const streams = [key, 'heliosdb:cdc:sales.lines', 'heliosdb:cdc', 'nothing'];
    const found = await client.call('XREAD', 'STREAMS', ...streams, '0', '1050', '0', '0');
    assert.ok(Array.isArray(found));
    assert.deepEqual(
      found.map((one) => [(one as RespValue[])[0], idsOf([one])]),
      [
        [key, ['1000-0']],
        ['heliosdb:cdc:sales.lines', ['1100-0']],
        ['heliosdb:cdc', ['1000-0', '1000-1', '1100-0']],
      ],
    );
    const many = Array.from({ length: redisStreamsPerReadMax + 1 }, () => key);
    const refused = await client.call('XREAD', 'STREAMS', ...many, ...many.map(() => '0'));
    assert.match(String(refused), /ERR too many streams: one XREAD takes at most 128/);
  });

  it('shows a table under the name it had, all versions of it', async () => {
    redis.log.commit([redis.log.table('orders', ['id']), 'INSERT', '1']);
    redis.log.commit([redis.log.table('orders', ['id', 'total']), 'INSERT', '2', '3']);
    const ids = idsOf(await client.call('XREAD', 'STREAMS', key, '0'));
    assert.deepEqual(ids, ['1000-0', '1100-0']);
  });

  it('is a map in RESP3', async () => {
    redis.log.commit([redis.log.table('orders'), 'TRUNCATE']);
    await client.call('HELLO', '3');
    const raw = await client.raw('XREAD', 'STREAMS', key, '0');
    assert.ok(
      raw.startsWith(`%1\r\n$${key.length}\r\n${key}\r\n*1\r\n*2\r\n$6\r\n1000-0\r\n*10\r\n`),
    );
    assert.equal(await client.raw('XREAD', 'STREAMS', key, '$'), '_\r\n');
  });

  it('passes over no version that comes between looking and reading', async () => {
    const first = redis.log.table('orders');
    redis.log.commit([first, 'INSERT', '1', null]);
    const { log } = redis;
    const tables = log.tables.bind(log);
    log.tables = async () => {
      const known = await tables();
      log.commit([log.table('orders', ['id']), 'INSERT', '2'], [first, 'INSERT', '3', null]);
      log.tables = tables;
      return known;
    };
    assert.deepEqual(idsOf(await client.call('XREAD', 'STREAMS', key, '0')), ['1000-0']);
    const next = idsOf(await client.call('XREAD', 'STREAMS', key, '1000-0'));
    assert.deepEqual(next, ['1100-0', '1100-1']);
  });

  it('gives no more in one reply than is allowed, and all of it in several', async () => {
    const orders = redis.log.table('orders');
    const rows = redisReadEntriesMax + 5;
    redis.log.commit(...Array.from({ length: rows }, () => [orders, 'INSERT', '1', null] as const));
    assert.equal(
      idsOf(await client.call('XREAD', 'STREAMS', key, '0')).length,
      redisReadEntriesMax,
    );
    const last = `1000-${redisReadEntriesMax - 1}`;
    assert.equal(idsOf(await client.call('XREAD', 'STREAMS', key, last)).length, 5);
    const large = 'x'.repeat(redisReadBytesMax / 4);
    redis.log.commit(...Array.from({ length: 6 }, () => [orders, 'INSERT', large, null] as const));
    redis.log.changesMaxAsked = 0;
    assert.ok(idsOf(await client.call('XREAD', 'STREAMS', key, '1099')).length < 4);
    assert.ok(redis.log.changesMaxAsked <= 16, `${redis.log.changesMaxAsked} asked for at once`);
  });

  it('gives an entry that is larger than a reply may be', async () => {
    const orders = redis.log.table('orders');
    const large = 'x'.repeat(redisReadBytesMax + 1);
    redis.log.commit([orders, 'INSERT', '1', large], [orders, 'INSERT', '2', large]);
    assert.deepEqual(idsOf(await client.call('XREAD', 'STREAMS', key, '0')), ['1000-0']);
  });

  it('says in the words of Redis what is wrong', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['XREAD', /^Error: ERR wrong number of arguments for 'xread' command$/],
      ['XREAD STREAMS a x', /ERR Invalid stream ID specified as stream command argument$/],
      ['XREAD STREAMS a b 0', /ERR Unbalanced 'xread' list of streams/],
      ['XREAD COUNT x STREAMS a 0', /ERR value is not an integer or out of range$/],
      ['XREAD BLOCK x STREAMS a 0', /ERR timeout is not an integer or out of range$/],
      ['XREAD BLOCK -1 STREAMS a 0', /ERR timeout is negative$/],
      ['XREAD FOO 1 STREAMS a 0', /ERR syntax error$/],
      ['XREAD COUNT 1 BLOCK', /ERR syntax error$/],
      ['XREAD STREAMS a >', /ERR The > ID can be specified only when calling XREADGROUP/],
      ['XREADGROUP GROUP a b STREAMS a >', /READONLY /],
    ];
    for (const [command, error] of cases) {
      assert.match(String(await client.call(...command.split(' '))), error, command);
    }
  });

  it('blocks until something is committed to the table', async () => {
    const orders = redis.log.table('orders');
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '$');
    await until(() => redis.log.waiting === 1);
    redis.log.commit([redis.log.table('other'), 'INSERT', '1', null]);
    redis.log.commit([orders, 'INSERT', '1', null]);
    assert.deepEqual(idsOf(await client.reply()), ['1100-0']);
    assert.ok(redis.events.includes('blocked') && redis.events.includes('unblocked'));
  });

  it('blocks until an id is passed that nothing has reached', async () => {
    const orders = redis.log.table('orders');
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '1150');
    await until(() => redis.log.waiting === 1);
    redis.log.commit([orders, 'INSERT', '1', null]);
    redis.log.commit([orders, 'INSERT', '2', null]);
    redis.log.commit([orders, 'INSERT', '3', null]);
    assert.deepEqual(idsOf(await client.reply()), ['1200-0']);
  });

  it('loses nothing while it waits and the log grows', async () => {
    const orders = redis.log.table('orders');
    const other = redis.log.table('other');
    const wanted: string[] = [];
    const readers = await Promise.all(
      Array.from({ length: 5 }, () => RespClient.connect(redis.address.port)),
    );
    const reading = readers.map(async (reader) => {
      const got: RespValue[] = [];
      while (got.length < 100) {
        const from = String(got.at(-1) ?? '0');
        got.push(...idsOf(await reader.call('XREAD', 'BLOCK', '0', 'STREAMS', key, from)));
      }
      reader.close();
      return got;
    });
    for (let count = 0; count < 100; count++) {
      redis.log.commit([other, 'INSERT', '1', null]);
      wanted.push(`${redis.log.commit([orders, 'INSERT', '1', null])}-0`);
      if (count % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
    }
    for (const got of await Promise.all(reading)) assert.deepEqual(got, wanted);
  });

  it('blocks for a time', async () => {
    assert.equal(await client.call('XREAD', 'BLOCK', '5', 'STREAMS', key, '$'), null);
    assert.equal(await client.call('XREAD', 'BLOCK', '5', 'STREAMS', 'nothing', '0'), null);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '1', null]);
    const found = await client.call('XREAD', 'BLOCK', '9000000000000', 'STREAMS', key, '0');
    assert.deepEqual(idsOf(found), ['1000-0']);
  });

  it('keeps requests behind a blocked one for later', async () => {
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '0');
    client.send('PING');
    await until(() => redis.log.waiting === 1);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '1', null]);
    assert.deepEqual(idsOf(await client.reply()), ['1000-0']);
    assert.equal(await client.reply(), '+PONG');
  });

  it('tells many blocked clients', async () => {
    const clients = await Promise.all(
      Array.from({ length: 50 }, () => RespClient.connect(redis.address.port)),
    );
    for (const one of clients) one.send('XREAD', 'BLOCK', '0', 'STREAMS', 'heliosdb:cdc', '$');
    await until(() => redis.events.filter((one) => one === 'blocked').length === clients.length);
    await until(() => redis.log.waiting === 1);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '1', null]);
    for (const one of clients) {
      assert.deepEqual(idsOf(await one.reply()), ['1000-0']);
      one.close();
    }
  });

  it('forgets a blocked client that goes away', async () => {
    for (const leave of ['end', 'destroy'] as const) {
      const other = await RespClient.connect(redis.address.port);
      other.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '$');
      await until(() => redis.log.waiting === 1);
      other.socket[leave]();
      await until(() => redis.log.waiting === 0);
    }
    await until(() => redis.events.filter((one) => one === 'closed client-vanished').length === 2);
  });

  it('asks for rights again when something came, and not before', async () => {
    const orders = redis.log.table('orders');
    redis.log.commit([orders, 'INSERT', '1', null]);
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '$');
    await until(() => redis.log.waiting === 1);
    assert.equal(redis.access.asked, 1);
    redis.log.commit([redis.log.table('other'), 'INSERT', '1', null]);
    await until(() => redis.log.waiting === 1);
    assert.equal(redis.access.asked, 1);
    redis.access.rights.set('orders', { kind: 'none', reason: 'privilege' });
    redis.log.commit([orders, 'INSERT', '2', null]);
    assert.equal(String(await client.reply()), 'Error: NOPERM permission denied for table orders');
  });

  it('answers when the log fails while a client is blocked', async () => {
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '$');
    await until(() => redis.log.waiting === 1);
    redis.log.bounds = async () => {
      throw new Error('planted');
    };
    redis.log.commit([redis.log.table('orders'), 'INSERT', '1', null]);
    assert.match(String(await client.reply()), /ERR internal error/);
    assert.equal(await client.call('PING'), '+PONG');
    assert.ok(redis.events.some((one) => one.startsWith('error redis command failed')));
  });
});

/** Of the streams of a reply, one after the other. */
function idsOf(reply: RespValue): RespValue[] {
  assert.ok(Array.isArray(reply), String(reply));
  return reply.flatMap(([, entries]) => entries.map(([id]: RespValue[]) => id));
}
