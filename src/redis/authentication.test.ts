import assert from 'node:assert/strict';
import { PgError } from '../core/errors/pg-error.ts';
import { redisAuthenticationFailuresMax, redisAuthenticationsMax } from '../core/limits.ts';
import { RespClient } from './testing/resp-client.ts';
import { startTestRedis, TestAccess, type TestRedis } from './testing/test-redis.ts';
import { until } from './testing/until.ts';

const wrong = 'Error: WRONGPASS invalid username-password pair or user is disabled.';

describe('redis authentication', () => {
  let redis: TestRedis;
  let client: RespClient;

  beforeEach(async () => {
    redis = await startTestRedis({ openAccess: undefined });
    client = await RespClient.connect(redis.address.port);
  });

  afterEach(async () => {
    client.close();
    await redis.close();
  });

  const call = async (command: string) => client.call(...command.split(' '));

  it('comes before everything else', async () => {
    const required = 'Error: NOAUTH Authentication required.';
    for (const command of ['PING', 'XREAD STREAMS a 0', 'INFO', 'COMMAND', 'SET a b', 'KEYS *']) {
      assert.equal(String(await call(command)), required, command);
    }
    assert.match(String(await call('HELLO 3')), /^Error: NOAUTH HELLO must be called with/);
    assert.match(String(await call('foo')), /ERR unknown command 'foo'/);
    assert.equal(await call('RESET'), '+RESET');
    assert.equal(await call('AUTH app secret'), '+OK');
    assert.equal(await call('PING'), '+PONG');
    assert.equal(await call('RESET'), '+RESET');
    assert.equal(String(await call('PING')), required);
    assert.equal(await call('QUIT'), '+OK');
    assert.equal(await client.rest(), '');
  });

  it('may come with HELLO, as the user Redis would have, and with a password alone', async () => {
    const users: string[] = [];
    const access = new TestAccess();
    const other = await startTestRedis({
      openAccess: undefined,
      authenticate: async (user) => {
        users.push(user);
        return () => access;
      },
    });
    for (const command of ['AUTH x', 'AUTH default x', 'AUTH bob x', 'HELLO 3 AUTH default x']) {
      const asking = await RespClient.connect(other.address.port);
      await asking.call(...command.split(' '));
      assert.equal(await asking.call('PING'), '+PONG');
      asking.close();
    }
    assert.deepEqual(users, ['app', 'app', 'bob', 'app']);
    await other.close();
  });

  it('tells a wrong password from a server that does not answer', async () => {
    assert.equal(String(await call('AUTH app nonsense')), wrong);
    assert.equal(String(await call('HELLO 3 AUTH app nonsense SETNAME x')), wrong);
    assert.ok(redis.events.includes('authentication failed'));
    assert.ok(!redis.events.join().includes('nonsense'), 'a password was logged');
    const other = await startTestRedis({
      openAccess: undefined,
      authenticate: async () => {
        throw new PgError({ code: '08006', message: 'could not connect' });
      },
    });
    const asking = await RespClient.connect(other.address.port);
    assert.equal(
      String(await asking.call('AUTH', 'x')),
      'Error: ERR the password could not be checked, try again later. could not connect',
    );
    asking.close();
    await other.close();
  });

  it('ends for a client that keeps guessing', async () => {
    for (let count = 0; count < redisAuthenticationFailuresMax; count++) {
      client.send('AUTH', 'app', `guess${count}`);
    }
    client.send('AUTH', 'app', 'secret');
    const replies = (await client.rest()).split('\r\n');
    assert.equal(replies.filter((one) => one.startsWith('-WRONGPASS')).length, 10);
    assert.ok(!replies.includes('+OK'));
    await until(() => redis.events.includes('closed wrong-passwords'));
  });

  it('is for a few clients at a time', async () => {
    let underWay = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const access = new TestAccess();
    const other = await startTestRedis({
      openAccess: undefined,
      authenticate: async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise<void>((resolve) => release.push(resolve));
        underWay -= 1;
        return () => access;
      },
    });
    const count = 2 * redisAuthenticationsMax;
    const clients = await Promise.all(
      Array.from({ length: count }, () => RespClient.connect(other.address.port)),
    );
    const answers = clients.map((one) => one.call('AUTH', 'x'));
    await until(() => release.length === redisAuthenticationsMax);
    for (let released = 0; released < count; released++) {
      await until(() => release.length > 0);
      release.shift()!();
    }
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(['+OK']));
    assert.equal(most, redisAuthenticationsMax);
    for (const one of clients) one.close();
    await other.close();
  });

  it('gives a client that needs none other rights', async () => {
    const none = new TestAccess();
    none.rights.set('orders', { kind: 'none', reason: 'privilege' });
    const other = await startTestRedis({ openAccess: () => none });
    other.log.commit([other.log.table('orders'), 'INSERT', '1', null]);
    const asking = await RespClient.connect(other.address.port);
    assert.match(String(await asking.call('XLEN', 'heliosdb:cdc:orders')), /NOPERM/);
    assert.equal(await asking.call('AUTH', 'secret'), '+OK');
    assert.equal(await asking.call('XLEN', 'heliosdb:cdc:orders'), 1);
    asking.close();
    await other.close();
  });
});
