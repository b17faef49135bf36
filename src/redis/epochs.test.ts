import assert from 'node:assert/strict';
import { RespClient } from './testing/resp-client.ts';
import { startTestRedis, type TestRedis } from './testing/test-redis.ts';
import { until } from './testing/until.ts';

const key = 'heliosdb:cdc:orders';
const gap =
  'Error: GAP epoch 2 of capture began at 0/1F4, epoch 1 had ended at 0/44C: changes in between ' +
  'may be missing. Go on with key heliosdb:cdc:orders:e2 from id 0.';
const trimmed =
  'Error: TRIMMED the change log begins at id 1100-0, what was before it is gone. To go on with ' +
  'what there is, XREAD from id 1099-18446744073709551615 or XRANGE from 1100-0.';

describe('redis streams of two epochs', () => {
  let redis: TestRedis;
  let client: RespClient;

  beforeEach(async () => {
    redis = await startTestRedis();
    client = await RespClient.connect(redis.address.port);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '1', null]);
  });

  afterEach(async () => {
    client.close();
    await redis.close();
  });

  const call = async (command: string) => client.call(...command.split(' '));
  const ids = async (command: string) =>
    [...JSON.stringify(await call(command)).matchAll(/"(\d+-\d+)"/g)].map(([, id]) => id);

  it('begin anew under keys of their own', async () => {
    redis.log.beginEpoch(500n);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '2', null]);
    assert.deepEqual(await ids(`XREAD STREAMS ${key} 0`), ['1000-0']);
    assert.deepEqual(await ids(`XREAD STREAMS ${key}:e2 0`), ['500-0']);
    assert.deepEqual(await ids(`XRANGE ${key}:e2 - +`), ['500-0']);
    assert.deepEqual(await ids(`XREVRANGE ${key} + -`), ['1000-0']);
    assert.deepEqual(await ids(`XREVRANGE ${key}:e2 + -`), ['500-0']);
    assert.deepEqual(await call(`XLEN ${key}`), 1);
    assert.deepEqual(await call('XLEN heliosdb:cdc:e2'), 1);
    assert.deepEqual(await call('KEYS *'), ['heliosdb:cdc', 'heliosdb:cdc:e2', key, `${key}:e2`]);
  });

  it('end with an error that names the next key', async () => {
    redis.log.beginEpoch(500n);
    for (const command of [
      `XREAD STREAMS ${key} 1000-0`,
      `XREAD STREAMS ${key} $`,
      `XREAD BLOCK 0 STREAMS ${key} 1000-0`,
      `XREAD STREAMS ${key} 99999999999999999999`.slice(0, -1),
      `XRANGE ${key} (1000-0 +`,
      `XREVRANGE ${key} + (1000-0`,
    ]) {
      assert.equal(String(await call(command)), gap, command);
    }
    assert.deepEqual(await call(`XRANGE ${key} 1 2`), []);
    assert.match(String(await call('XREAD STREAMS heliosdb:cdc $')), /key heliosdb:cdc:e2 from/);
  });

  it('end so for a table that has changes in the next one only', async () => {
    redis.log.beginEpoch(500n);
    redis.log.commit([redis.log.table('late'), 'INSERT', '2', null]);
    assert.match(
      String(await call('XREAD STREAMS heliosdb:cdc:late 0')),
      /GAP .* key heliosdb:cdc:late:e2 from id 0/,
    );
    assert.deepEqual(await call('EXISTS heliosdb:cdc:late heliosdb:cdc:late:e2'), 1);
  });

  it('end so even when another stream has something', async () => {
    redis.log.beginEpoch(500n);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '2', null]);
    assert.equal(String(await call(`XREAD STREAMS ${key}:e2 ${key} 0 1000-0`)), gap);
  });

  it('end so for a client that is blocked, before there is a change', async () => {
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '$');
    await until(() => redis.log.waiting === 1);
    redis.log.beginEpoch(500n);
    assert.equal(String(await client.reply()), gap);
  });

  it('can be waited for', async () => {
    assert.equal(await call(`XREAD STREAMS ${key}:e2 0`), null);
    assert.deepEqual(await call(`XRANGE ${key}:e2 - +`), []);
    for (const id of ['0', '$']) {
      const epoch = id === '0' ? 2 : 3;
      client.send('XREAD', 'BLOCK', '0', 'STREAMS', `${key}:e${epoch}`, id);
      await until(() => redis.log.waiting === 1);
      redis.log.beginEpoch(BigInt(epoch) * 100n);
      redis.log.commit([redis.log.table('orders'), 'INSERT', '2', null]);
      assert.match(JSON.stringify(await client.reply()), new RegExp(`"${epoch}00-0"`));
    }
  });

  it('may be gone from the log', async () => {
    redis.log.beginEpoch(500n);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '2', null]);
    redis.log.trim(2, 500n);
    const gone =
      'Error: TRIMMED epoch 1 of capture is no longer in the change log, which begins with epoch ' +
      '2. To go on with what there is, read key heliosdb:cdc:orders:e2.';
    for (const command of [
      `XREAD STREAMS ${key} 0`,
      `XREAD STREAMS ${key} $`,
      `XRANGE ${key} - +`,
      `XREVRANGE ${key} + - COUNT 1`,
    ]) {
      assert.equal(String(await call(command)), gone, command);
    }
    assert.equal(await call(`XLEN ${key}`), 0);
    assert.equal(await call(`EXISTS ${key}`), 0);
    assert.equal(String(await call(`XINFO STREAM ${key}`)), 'Error: ERR no such key');
    // The second one is whole.
    assert.deepEqual(await ids(`XREAD STREAMS ${key}:e2 0`), ['500-0']);
    assert.deepEqual(await ids(`XREVRANGE ${key}:e2 + -`), ['500-0']);
  });
});

describe('redis streams of which the beginning was removed', () => {
  let redis: TestRedis;
  let client: RespClient;

  beforeEach(async () => {
    redis = await startTestRedis();
    client = await RespClient.connect(redis.address.port);
    const orders = redis.log.table('orders');
    for (const id of ['1', '2', '3']) redis.log.commit([orders, 'INSERT', id, null]);
    redis.log.trim(1, 1_100n);
  });

  afterEach(async () => {
    client.close();
    await redis.close();
  });

  const call = async (command: string) => client.call(...command.split(' '));
  const ids = async (command: string) =>
    [...JSON.stringify(await call(command)).matchAll(/"(\d+-\d+)"/g)].map(([, id]) => id);

  it('say so when they are read from there', async () => {
    for (const command of [
      `XREAD STREAMS ${key} 0`,
      `XREAD BLOCK 0 STREAMS ${key} 0`,
      `XREAD STREAMS ${key} 1000-0`,
      `XREAD STREAMS heliosdb:cdc:other 0`,
      `XRANGE ${key} - +`,
      `XRANGE ${key} - + COUNT 1`,
      `XRANGE ${key} 1000 1099`,
      `XREVRANGE ${key} + -`,
      `XREVRANGE ${key} + - COUNT 3`,
      `XREVRANGE heliosdb:cdc:other + -`,
    ]) {
      assert.equal(String(await call(command)), trimmed, command);
    }
  });

  it('can be read from where they begin, by the ids the error names', async () => {
    const all = ['1100-0', '1200-0'];
    assert.deepEqual(await ids(`XREAD STREAMS ${key} 1099-18446744073709551615`), all);
    assert.deepEqual(await ids(`XRANGE ${key} 1100-0 +`), all);
  });

  it('can be read without what was removed', async () => {
    assert.deepEqual(await ids(`XREVRANGE ${key} + - COUNT 2`), ['1200-0', '1100-0']);
    assert.deepEqual(await ids(`XREVRANGE ${key} + - COUNT 1`), ['1200-0']);
    assert.deepEqual(await ids(`XREVRANGE ${key} + 1100`), ['1200-0', '1100-0']);
    assert.deepEqual(await ids(`XREAD STREAMS ${key} 1150`), ['1200-0']);
    assert.deepEqual(await ids(`XREAD STREAMS ${key} +`), ['1200-0']);
    assert.equal(await call(`XREAD STREAMS ${key} $`), null);
    assert.equal(await call(`XLEN ${key}`), 2);
    assert.match(JSON.stringify(await call(`XINFO STREAM ${key}`)), /"length",2,/);
  });

  it('say so when it is removed while they are read', async () => {
    const { log } = redis;
    const bounds = log.bounds.bind(log);
    log.bounds = async () => {
      const before = await bounds();
      log.trim(1, 1_200n);
      return before;
    };
    assert.match(String(await call(`XREAD STREAMS ${key} 1100`)), /^Error: TRIMMED /);
    assert.match(String(await call(`XREVRANGE ${key} + 1100`)), /^Error: TRIMMED .* id 1200-0/);
  });

  it('say so to a client that waited too long', async () => {
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '$');
    await until(() => redis.log.waiting === 1);
    redis.log.trim(1, 1_400n);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '2', null]);
    redis.log.commit([redis.log.table('orders'), 'INSERT', '2', null]);
    assert.match(String(await client.reply()), /^Error: TRIMMED .* id 1400-0/);
  });
});
