import assert from 'node:assert/strict';
import fc from 'fast-check';
import { redisInputBytesMax } from '../core/limits.ts';
import { encodeRequest, RespClient } from './testing/resp-client.ts';
import { startTestRedis, type TestRedis } from './testing/test-redis.ts';
import { until } from './testing/until.ts';

const key = 'heliosdb:cdc:orders';

describe('redis connections', () => {
  let redis: TestRedis;
  let client: RespClient;

  beforeEach(async () => {
    redis = await startTestRedis({ clientsMax: 3 });
    client = await RespClient.connect(redis.address.port);
  });

  afterEach(async () => {
    client.close();
    await redis.close();
  });

  const call = async (command: string) => client.call(...command.split(' '));

  it('answer what was sent together in order', async () => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => String(index));
    client.socket.write(Buffer.concat(numbers.map((one) => encodeRequest(['ECHO', one]))));
    for (const one of numbers) assert.equal(await client.reply(), one);
  });

  it('answer what was sent before the client stopped sending', async () => {
    client.socket.end('PING\r\nECHO a\r\nXREAD BLOCK 0 STREAMS x $\r\n');
    assert.match(await client.rest(), /^\+PONG\r\n\$1\r\na\r\n(?:\*-1\r\n)?$/);
  });

  it('end with the words of Redis when bytes are no request, and others go on', async () => {
    for (const [bytes, reply] of [
      ['PING\r\n*x\r\nPING\r\n', '+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n'],
      ['*1\r\n!\r\n', "-ERR Protocol error: expected '$', got '!'\r\n"],
      ['POST / HTTP/1.1\r\nHost: x\r\n\r\n', ''],
    ] as const) {
      const hostile = await RespClient.connect(redis.address.port);
      hostile.socket.write(bytes);
      assert.equal(await hostile.rest(), reply);
    }
    assert.equal(await call('PING'), '+PONG');
  });

  it('bear any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const hostile = await RespClient.connect(redis.address.port);
        hostile.socket.end(bytes);
        await hostile.rest();
      }),
      { numRuns: 50 },
    );
    assert.equal(await call('PING'), '+PONG');
    assert.ok(!redis.events.some((one) => one.startsWith('error')), redis.events.join('\n'));
  });

  it('are not read while the client does not read', async () => {
    const hostile = await RespClient.connect(redis.address.port);
    hostile.socket.pause();
    const echo = encodeRequest(['ECHO', Buffer.alloc(64 * 1024)]);
    let sent = 0;
    const isStuck = () => hostile.socket.writableLength > redisInputBytesMax;
    while (!isStuck() && sent < 10_000) {
      hostile.socket.write(echo);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(isStuck(), 'the endpoint went on reading');
    assert.equal(await call('PING'), '+PONG');
    const answered = () => redis.events.filter((one) => one === 'echo ok').length;
    assert.ok(answered() < sent);
    hostile.socket.resume();
    for (let count = 0; count < sent; count++) await hostile.reply();
    hostile.close();
  });

  it('end when replies are left unread for too long', async () => {
    const other = await startTestRedis({ writeStallMs: 50 });
    const hostile = await RespClient.connect(other.address.port);
    hostile.socket.pause();
    const echo = encodeRequest(['ECHO', Buffer.alloc(512 * 1024)]);
    for (let count = 0; count < 40; count++) hostile.socket.write(echo);
    await until(() => other.events.includes('closed stalled'));
    hostile.close();
    await other.close();
  });

  it('end when a blocked client sends too much', async () => {
    client.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '$');
    client.socket.write(Buffer.alloc(redisInputBytesMax + 1_000_000, 'PING\r\n'));
    assert.equal(await client.rest(), '');
    await until(() => redis.events.includes('closed protocol-error'));
    assert.equal(redis.log.waiting, 0);
  });

  it('are so many at most', async () => {
    const others = [
      await RespClient.connect(redis.address.port),
      await RespClient.connect(redis.address.port),
    ];
    const tooMany = await RespClient.connect(redis.address.port);
    assert.equal(await tooMany.rest(), '-ERR max number of clients reached\r\n');
    others[0]!.close();
    await until(() => redis.events.includes('closed client-vanished'));
    const next = await RespClient.connect(redis.address.port);
    assert.equal(await next.call('PING'), '+PONG');
    for (const one of [...others, next]) one.close();
  });

  it('drain: a blocked client and an idle one are disconnected', async () => {
    const blocked = await RespClient.connect(redis.address.port);
    blocked.send('XREAD', 'BLOCK', '0', 'STREAMS', key, '$');
    await until(() => redis.log.waiting === 1);
    await redis.drain(10_000);
    assert.equal(await blocked.rest(), '');
    assert.equal(await client.rest(), '');
    await assert.rejects(RespClient.connect(redis.address.port));
    assert.equal(redis.events.filter((one) => one === 'closed drained').length, 2);
    await redis.drain(10_000);
  });

  it('drain: the reply that is under way is given, and the deadline ends all', async () => {
    const { log } = redis;
    const release: (() => void)[] = [];
    const bounds = log.bounds.bind(log);
    log.bounds = async () => {
      await new Promise<void>((resolve) => release.push(resolve));
      return bounds();
    };
    const other = await RespClient.connect(redis.address.port);
    client.send('XLEN', key);
    await until(() => release.length === 1);
    other.send('XLEN', key);
    await until(() => release.length === 2);
    const drained = redis.drain(20);
    release[0]!();
    assert.equal(await client.reply(), 0);
    await drained;
    release[1]!();
    assert.equal(await other.rest(), '');
  });

  it('tell and keep what clients say about themselves', async () => {
    const hello = await call('HELLO 3 SETNAME worker');
    assert.match(JSON.stringify(hello), /"server","heliosdb","version","7.4.0","proto",3,"id",\d+/);
    assert.equal(await call('CLIENT GETNAME'), 'worker');
    assert.equal(await call('CLIENT SETINFO LIB-NAME mine'), '+OK');
    assert.match(String(await call('CLIENT SETINFO foo x')), /ERR Unrecognized option 'foo'/);
    const list = String(await call('CLIENT LIST'));
    assert.match(
      list,
      /^id=\d+ addr=127.0.0.1:\d+ .* name=worker .* user=app resp=3 lib-name=mine/,
    );
    assert.equal(await call('CLIENT INFO'), list);
    assert.match(String(await call('CLIENT KILL x')), /ERR unknown subcommand 'KILL'. Try CLIENT/);
    assert.match(String(await call('HELLO 4')), /NOPROTO unsupported protocol version/);
    assert.match(String(await call('HELLO x')), /ERR Protocol version is not an integer/);
    assert.match(String(await call('HELLO 2 FOO')), /ERR Syntax error in HELLO option 'FOO'/);
    assert.match(String(await client.call('CLIENT', 'SETNAME', 'a b')), /cannot contain spaces/);
    assert.equal(await call('RESET'), '+RESET');
    assert.equal(await call('CLIENT GETNAME'), null);
  });

  it('keep replies back when the client wants none', async () => {
    client.socket.write('CLIENT REPLY SKIP\r\nECHO a\r\nECHO b\r\nCLIENT REPLY OFF\r\nPING\r\n');
    assert.equal(await client.reply(), 'b');
    client.socket.write('CLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\nECHO c\r\n');
    assert.equal(await client.reply(), '+OK');
    assert.equal(await client.reply(), 'c');
  });

  it('have the commands about commands and the server', async () => {
    const count = await call('COMMAND COUNT');
    assert.ok(Array.isArray(await call('COMMAND')));
    assert.equal((JSON.parse(JSON.stringify(await call('COMMAND LIST'))) as []).length, count);
    const info = await call('COMMAND INFO xlen nothing');
    assert.match(
      JSON.stringify(info),
      /^\[\["xlen",2,\["\+readonly","\+fast"\],1,1,1,.*\],null\]$/,
    );
    assert.match(JSON.stringify(await call('COMMAND DOCS xread')), /^\["xread",\["summary",/);
    assert.match(String(await call('INFO')), /loading:0/);
    assert.match(String(await call('INFO clients')), /^# Clients\r\nconnected_clients:1/);
    assert.deepEqual(await call('CONFIG GET save'), []);
    assert.equal(await call('SELECT 0'), '+OK');
    assert.match(String(await call('SELECT 1')), /ERR DB index is out of range/);
    assert.match(String(await call('CLUSTER INFO')), /ERR This instance has cluster support/);
    assert.ok(Array.isArray(await call('CLIENT HELP')));
  });
});
