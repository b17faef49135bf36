import assert from 'node:assert/strict';
import { redisRangeBytesMax } from '../core/limits.ts';
import { RespClient } from './testing/resp-client.ts';
import { startTestRedis, type TestRedis } from './testing/test-redis.ts';

const key = 'heliosdb:cdc:orders';

describe('redis ranges, keys and rights', () => {
  let redis: TestRedis;
  let client: RespClient;

  beforeEach(async () => {
    redis = await startTestRedis();
    client = await RespClient.connect(redis.address.port);
    const orders = redis.log.table('orders');
    redis.log.commit([orders, 'INSERT', '1', '5'], [orders, 'UPDATE', '1', '6']);
    redis.log.commit([redis.log.table('lines', ['id'], 'sales'), 'INSERT', '1']);
    redis.log.commit([orders, 'DELETE', '1', '6']);
  });

  afterEach(async () => {
    client.close();
    await redis.close();
  });

  const call = async (command: string) => client.call(...command.split(' '));
  const ids = async (command: string) =>
    [...JSON.stringify(await call(command)).matchAll(/"(\d+-\d+)"/g)].map(([, id]) => id);

  it('are cut where one says', async () => {
    const all = ['1000-0', '1000-1', '1200-0'];
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['- +', all],
      ['1000 1000', all.slice(0, 2)],
      ['1000-1 1200-0', all.slice(1)],
      ['(1000-0 (1200-0', ['1000-1']],
      ['(1000-1 +', ['1200-0']],
      ['1201 +', []],
      ['+ -', []],
      ['- + COUNT 2', all.slice(0, 2)],
      ['- + COUNT 2 COUNT 1', all.slice(0, 1)],
      ['- + COUNT 99', all],
    ];
    for (const [range, wanted] of cases) {
      assert.deepEqual(await ids(`XRANGE ${key} ${range}`), wanted, range);
      const [low, high, ...count] = range.split(' ');
      const backward = await ids(`XREVRANGE ${key} ${[high, low, ...count].join(' ')}`);
      const reversed = count.length === 0 ? wanted.toReversed() : all.toReversed();
      assert.deepEqual(backward, reversed.slice(0, wanted.length), range);
    }
    assert.equal(await call(`XRANGE ${key} - + COUNT 0`), null);
    assert.deepEqual(await call('XRANGE nothing - + COUNT 0'), []);
    assert.deepEqual(await call('XRANGE heliosdb:cdc:nothing - +'), []);
  });

  it('are whole or refused, never shortened', async () => {
    const orders = redis.log.table('big');
    const large = 'x'.repeat(redisRangeBytesMax / 4);
    for (let count = 0; count < 5; count++) redis.log.commit([orders, 'INSERT', '1', large]);
    const refused =
      'Error: ERR the reply would be larger than 16 MiB: give a smaller COUNT and go on behind ' +
      'the last id';
    assert.equal(String(await call('XRANGE heliosdb:cdc:big - +')), refused);
    assert.equal(String(await call('XREVRANGE heliosdb:cdc:big + - COUNT 5')), refused);
    assert.equal((await ids('XREVRANGE heliosdb:cdc:big + - COUNT 3')).length, 3);
  });

  it('say in the words of Redis what is wrong', async () => {
    const max = '18446744073709551615';
    const cases: readonly (readonly [string, RegExp])[] = [
      [`XRANGE ${key} x +`, /ERR Invalid stream ID specified as stream command argument$/],
      [`XRANGE ${key} (- +`, /ERR Invalid stream ID/],
      [`XRANGE ${key} (${max}-${max} +`, /ERR invalid start ID for the interval$/],
      [`XRANGE ${key} - (0-0`, /ERR invalid end ID for the interval$/],
      [`XRANGE ${key} - + COUNT`, /ERR syntax error$/],
      [`XRANGE ${key} - + FOO 1`, /ERR syntax error$/],
      [`XRANGE ${key} - + COUNT x`, /ERR value is not an integer or out of range$/],
      [`XRANGE ${key} -`, /ERR wrong number of arguments for 'xrange' command$/],
      ['XINFO STREAM nothing', /ERR no such key$/],
      [`XINFO FOO ${key}`, /ERR unknown subcommand 'FOO'. Try XINFO HELP.$/],
      [`XINFO CONSUMERS ${key} g`, /NOGROUP No such consumer group 'g' for key name/],
      ['XINFO STREAM', /ERR wrong number of arguments for 'xinfo\|stream' command$/],
    ];
    for (const [command, error] of cases) assert.match(String(await call(command)), error, command);
  });

  it('describe a stream', async () => {
    assert.match(
      JSON.stringify(await call(`XINFO STREAM ${key}`)),
      /"length",3,.*"last-generated-id","1200-0",.*"first-entry",\["1000-0",.*"last-entry",\["1200-0"/,
    );
    const full = JSON.stringify(await call(`XINFO STREAM ${key} FULL COUNT 2`));
    assert.match(full, /"entries",\[\["1000-0",.*\["1000-1",.*"groups",\[\]/);
    assert.doesNotMatch(full, /\["1200-0"/);
    assert.deepEqual(await call(`XINFO GROUPS ${key}`), []);
  });

  it('list what there is', async () => {
    const all = ['heliosdb:cdc', key, 'heliosdb:cdc:sales.lines'];
    assert.deepEqual(await call('KEYS *'), all);
    assert.deepEqual(await call('KEYS *ord*'), [key]);
    assert.deepEqual(await call('SCAN 0'), ['0', all]);
    assert.deepEqual(await call('SCAN 0 MATCH *lines COUNT 1 TYPE stream'), ['0', [all[2]]]);
    assert.deepEqual(await call('SCAN 0 TYPE string'), ['0', []]);
    assert.deepEqual(await call('SCAN 17'), ['0', []]);
    assert.match(String(await call('SCAN x')), /ERR invalid cursor/);
    assert.equal(await call('DBSIZE'), 3);
    assert.equal(await call(`EXISTS ${key} ${key} nothing heliosdb:cdc`), 3);
    assert.equal(await call(`TYPE ${key}`), '+stream');
    assert.equal(await call('TYPE nothing'), '+none');
    assert.equal(await call(`TTL ${key}`), -1);
    assert.equal(await call('PTTL nothing'), -2);
    assert.equal(await call(`OBJECT ENCODING ${key}`), 'stream');
    assert.equal(await call('OBJECT ENCODING nothing'), null);
    assert.equal(await call('XLEN heliosdb:cdc'), 4);
    assert.equal(await call('XLEN nothing'), 0);
  });

  it('refuse a table the client may not read, and show the rest without it', async () => {
    redis.access.rights.set('orders', { kind: 'none', reason: 'privilege' });
    const refused = 'Error: NOPERM permission denied for table orders';
    for (const command of [
      `XREAD STREAMS ${key} $`,
      `XRANGE ${key} - +`,
      `XREVRANGE ${key} + - COUNT 0`,
      `XLEN ${key}`,
      `XINFO STREAM ${key}`,
      `EXISTS ${key}`,
      `TYPE ${key}`,
    ]) {
      assert.equal(String(await call(command)), refused, command);
    }
    assert.deepEqual(await call('KEYS *'), ['heliosdb:cdc', 'heliosdb:cdc:sales.lines']);
    assert.deepEqual(await ids('XREAD STREAMS heliosdb:cdc 0'), ['1100-0']);
    assert.deepEqual(await ids('XREVRANGE heliosdb:cdc + -'), ['1100-0']);
    assert.equal(await call('XLEN heliosdb:cdc'), 1);
    redis.access.rights.set('lines', { kind: 'none', reason: 'row-security' });
    assert.match(
      String(await call('XLEN heliosdb:cdc:sales.lines')),
      /NOPERM permission denied for table sales.lines: row security applies to this user$/,
    );
    assert.deepEqual(await call('KEYS *'), []);
    assert.equal(await call('XREAD STREAMS heliosdb:cdc 0'), null);
    redis.access.rights.set('orders', { kind: 'none', reason: 'dropped' });
    assert.match(String(await call(`XLEN ${key}`)), /NOPERM .* it was dropped/);
  });

  it('show only the columns the client may read', async () => {
    redis.access.rights.set('orders', { kind: 'columns', visible: [true, false] });
    const shown = JSON.stringify(await call(`XRANGE ${key} - +`));
    assert.match(shown, /"after","\{\\"id\\":\\"1\\"\}"/);
    assert.doesNotMatch(shown, /total/);
  });

  it('of other databases have the database in the key', async () => {
    const other = await startTestRedis({
      databases: () => [
        { name: 'shop', reader: redis.log },
        { name: 'crm', reader: redis.log },
        { name: 'later', reader: undefined },
      ],
    });
    const asking = await RespClient.connect(other.address.port);
    assert.equal(await asking.call('XLEN', 'heliosdb:cdc:crm:orders'), 3);
    assert.equal(await asking.call('XLEN', 'heliosdb:cdc:crm:'), 4);
    assert.equal(await asking.call('XLEN', 'heliosdb:cdc:shop:orders'), 3);
    const errors = [
      ['heliosdb:cdc:hr:x', 'ERR changes of database hr are not captured by this node'],
      [
        'heliosdb:cdc:later:x',
        'LOADING the change log of database later is not open. Look whether capture is running, ' +
          'and try again later.',
      ],
    ];
    for (const [name, error] of errors) {
      assert.equal(String(await asking.call('XLEN', name!)), `Error: ${error}`);
    }
    assert.match(String(await asking.call('KEYS', '*')), /^Error: LOADING /);
    asking.close();
    await other.close();
  });
});
