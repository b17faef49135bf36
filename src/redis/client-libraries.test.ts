import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { requireCommand } from '../testing/require-service.ts';
import { startTestRedis, type TestRedis } from './testing/test-redis.ts';
import { until } from './testing/until.ts';

const key = 'heliosdb:cdc:orders';
const run = promisify(execFile);

describe('redis endpoint with ioredis', () => {
  let redis: TestRedis;

  beforeEach(async () => {
    redis = await startTestRedis({ openAccess: undefined });
    redis.log.commit([redis.log.table('orders'), 'INSERT', '1', '5']);
  });

  afterEach(() => redis.close());

  for (const protocol of [2, 3] as const) {
    it(`reads, waits and pipelines in RESP${protocol}`, async () => {
      const { port } = redis.address;
      const client = new Redis({ port, password: 'secret', protocol, lazyConnect: true });
      await client.connect();
      const hello = `hello ${protocol === 3 ? 'ok' : ''}`.trim();
      assert.equal(redis.events.includes(hello), protocol === 3);
      const found = await client.xread('COUNT', 10, 'STREAMS', key, '0');
      const ids = found?.map(([name, entries]) => [name, entries.map(([id]) => id)]);
      assert.deepEqual(ids, [[key, ['1000-0']]]);
      const waiting = client.xread('BLOCK', 0, 'STREAMS', key, '1000-0');
      await until(() => redis.log.waiting === 1);
      redis.log.commit([redis.log.table('orders'), 'INSERT', '2', '5']);
      assert.equal((await waiting)?.[0]?.[1][0]?.[0], '1100-0');
      const replies = await client.pipeline().xlen(key).type(key).set('a', 'b').ping().exec();
      assert.deepEqual(
        replies?.map(([error, value]) => error?.message ?? value),
        [2, 'stream', "READONLY You can't write against a read only replica.", 'PONG'],
      );
      const entries = await client.xrange(key, '-', '+', 'COUNT', 1);
      assert.deepEqual(entries[0]?.[1].slice(0, 4), [
        'operation',
        'INSERT',
        'table',
        'public.orders',
      ]);
      assert.deepEqual(await client.keys('*'), ['heliosdb:cdc', key]);
      assert.deepEqual(await client.scan(0), ['0', ['heliosdb:cdc', key]]);
      const described = await client.xinfo('STREAM', key);
      assert.match(JSON.stringify(described), /"last-generated-id",?:?"1100-0"/);
      await client.quit();
    });
  }

  it('tells a wrong password', async () => {
    const { port } = redis.address;
    const client = new Redis({
      port,
      password: 'wrong',
      lazyConnect: true,
      retryStrategy: () => null,
    });
    const errors: string[] = [];
    client.on('error', (error: Error) => errors.push(error.message));
    await client.connect().catch((error: Error) => errors.push(error.message));
    await client.ping().catch((error: Error) => errors.push(error.message));
    assert.match(errors.join('\n'), /WRONGPASS|NOAUTH/);
    client.disconnect();
  });
});

describe('redis endpoint with redis-cli', () => {
  let redis: TestRedis;

  beforeEach(async function () {
    requireCommand(this, 'redis-cli');
    redis = await startTestRedis();
    redis.log.commit([redis.log.table('orders'), 'INSERT', '1', '5']);
  });

  afterEach(() => redis?.close());

  const cli = async (...args: readonly string[]) => {
    const { stdout } = await run('redis-cli', ['-p', String(redis.address.port), ...args]);
    return stdout;
  };

  it('reads in both protocols', async () => {
    for (const protocol of ['-2', '-3']) {
      assert.match(
        await cli(protocol, 'XREAD', 'STREAMS', key, '0'),
        /^heliosdb:cdc:orders[ \n]1000-0/,
      );
      assert.equal(await cli(protocol, 'XLEN', key), '1\n');
      assert.match(await cli(protocol, 'INFO', 'server'), /redis_version:7/);
      assert.match(await cli(protocol, 'COMMAND', 'DOCS', 'xread'), /summary/);
    }
    assert.equal(await cli('--scan', '--pattern', '*orders'), `${key}\n`);
  });
});
