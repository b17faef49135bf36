import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireCommand } from '../testing/require-service.ts';
import { RespClient, type RespValue } from './testing/resp-client.ts';
import { startTestRedis, type TestRedis } from './testing/test-redis.ts';
import { until } from './testing/until.ts';

const key = 'heliosdb:cdc:orders';
const max = '18446744073709551615';

/** Answered byte for byte as Redis answers. */
const same = [
  'PING',
  'PING a',
  'PING a b',
  'ECHO a',
  'ECHO',
  'foo',
  'foo a b',
  `foo ${'x'.repeat(200)} y`,
  `${'f'.repeat(200)} a`,
  'SELECT 0',
  'SELECT 99',
  'SELECT x',
  'HELLO 4',
  'HELLO x',
  'HELLO 2 FOO',
  'AUTH a b c d',
  'CLIENT',
  'CLIENT FOO',
  'CLIENT GETNAME',
  'CLIENT SETNAME a',
  'CLIENT GETNAME',
  'CLIENT NO-EVICT on',
  'CLIENT NO-EVICT x',
  'CONFIG GET nothing',
  'CONFIG FOO',
  'COMMAND FOO',
  'CLUSTER INFO',
  'RESET',
  `TYPE ${key}`,
  'TYPE nothing',
  'TYPE',
  `EXISTS ${key} nothing ${key}`,
  `TTL ${key}`,
  'TTL nothing',
  'PTTL nothing',
  `OBJECT ENCODING ${key}`,
  'OBJECT ENCODING nothing',
  'OBJECT FOO',
  'KEYS *',
  'KEYS *ord[a-z]rs',
  'KEYS nothing',
  'SCAN 0',
  'SCAN 0 MATCH x* COUNT 10',
  'SCAN x',
  'SCAN 0 COUNT 0',
  'SCAN 0 COUNT x',
  'SCAN 0 FOO',
  'DBSIZE',
  `XLEN ${key}`,
  'XLEN nothing',
  'XLEN',
  `XINFO GROUPS ${key}`,
  'XINFO GROUPS nothing',
  `XINFO CONSUMERS ${key} g`,
  `XINFO CONSUMERS ${key}`,
  'XINFO STREAM nothing',
  'XINFO STREAM',
  'XINFO FOO',
  'XINFO',
  ...[
    '0',
    '0-0',
    '999',
    '1000',
    '1000-0',
    '1000-1',
    `1000-${max}`,
    '1100',
    '$',
    `${max}-${max}`,
    'x',
    '-',
    '-1',
    '1-x',
    '1-2-3',
    '>',
    `${max}0`,
    '',
  ].map((id) => `XREAD STREAMS ${key} ${id}`),
  `XREAD COUNT 1 STREAMS ${key} 0`,
  `XREAD COUNT 0 STREAMS ${key} 0`,
  `XREAD COUNT -5 STREAMS ${key} 0`,
  `XREAD count 2 block 1 streams ${key} 0`,
  `XREAD BLOCK 1 STREAMS ${key} $`,
  `XREAD BLOCK -1 STREAMS ${key} $`,
  `XREAD BLOCK x STREAMS ${key} $`,
  `XREAD COUNT x STREAMS ${key} $`,
  `XREAD COUNT 01 STREAMS ${key} $`,
  `XREAD STREAMS ${key} nothing 0 0`,
  `XREAD STREAMS nothing ${key} 0 1000-0`,
  'XREAD STREAMS nothing 0',
  'XREAD STREAMS a b 0',
  'XREAD STREAMS a',
  'XREAD FOO 1 STREAMS a 0',
  'XREAD COUNT 1 BLOCK 1',
  'XREAD STREAMS a 0 STREAMS',
  ...['XRANGE', 'XREVRANGE'].flatMap((command) =>
    [
      '- +',
      '+ -',
      '- -',
      '1000 1000',
      '1000-1 1100',
      '1100 1000-1',
      '(1000-0 +',
      '+ (1000-0',
      '(1000-0 (1100-0',
      '(1000 (1100',
      '(1100 (1000',
      `(${max}-${max} +`,
      `+ (${max}-${max}`,
      '- (0-0',
      '(0-0 -',
      '(- +',
      'x +',
      '- x',
      '- + COUNT 1',
      '- + COUNT 0',
      '+ - COUNT 2',
      '+ - COUNT -1',
      '- + COUNT',
      '- + COUNT x',
      '- + FOO 1',
      '- + COUNT 1 COUNT 2',
      '-',
    ].flatMap((range) => [`${command} ${key} ${range}`, `${command} nothing ${range}`]),
  ),
];

/** What goes in as raw bytes, and ends the connection or does not. */
const rawBytes = [
  '*x\r\n',
  '*1\r\n!\r\n',
  '*1\r\n$-1\r\n',
  '*1\r\n$x\r\n',
  '*-1\r\n*0\r\n\r\nPING\r\nQUIT\r\n',
  'echo "a\r\n',
  "echo \"a\\x41\\n\" \r\necho 'it\\'s'\r\nQUIT\r\n",
  `${'x'.repeat(70_000)}`,
  'PING\r\n*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n*1\r\n$4\r\nQUIT\r\n',
];

describe('redis endpoint beside the server of Redis', () => {
  let ours: TestRedis;
  let child: ChildProcess;
  let directory: string;
  let theirPort: number;

  before(async function () {
    requireCommand(this, 'redis-server');
    directory = await mkdtemp(join(tmpdir(), 'heliosdb-redis-'));
    theirPort = await freePort();
    child = spawn(
      'redis-server',
      ['--port', String(theirPort), '--bind', '127.0.0.1', '--save', '', '--dir', directory],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    child.stdout!.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said.includes('Ready to accept connections') || child.exitCode !== null);
    ours = await startTestRedis();
    const [orders, lines] = [ours.log.table('orders'), ours.log.table('lines')];
    ours.log.commit([orders, 'INSERT', '1', '5'], [orders, 'UPDATE', '1', null]);
    ours.log.commit([orders, 'DELETE', '1', null], [lines, 'INSERT', '1', 'ü"']);
    ours.log.commit([orders, 'TRUNCATE']);
    await copyStreams(ours.address.port, theirPort);
  });

  after(async () => {
    await ours?.close();
    if (child?.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  for (const version of ['2', '3']) {
    it(`answers the same bytes in RESP${version}`, async () => {
      const [us, them] = await Promise.all([
        RespClient.connect(ours.address.port),
        RespClient.connect(theirPort),
      ]);
      const differences: string[] = [];
      for (const command of same) {
        for (const client of [us, them]) await client.call('HELLO', version);
        const args = command.split(' ');
        const [our, their] = [await us.raw(...args), await them.raw(...args)];
        if (normal(command, our) !== normal(command, their)) {
          differences.push(`${command}\n  ours   ${quoted(our)}\n  theirs ${quoted(their)}`);
        }
      }
      us.close();
      them.close();
      assert.equal(differences.join('\n'), '');
    });
  }

  it('answers bytes that are no requests the same', async () => {
    for (const bytes of rawBytes) {
      const replies: string[] = [];
      for (const port of [ours.address.port, theirPort]) {
        const client = await RespClient.connect(port);
        client.socket.write(bytes);
        replies.push(await client.rest());
        client.close();
      }
      assert.equal(replies[0], replies[1], JSON.stringify(bytes.slice(0, 60)));
    }
  });

  it('has the same fields in XINFO STREAM', async () => {
    const [us, them] = [
      await RespClient.connect(ours.address.port),
      await RespClient.connect(theirPort),
    ];
    for (const full of [[], ['FULL']]) {
      const [our, their] = [
        await us.call('XINFO', 'STREAM', key, ...full),
        await them.call('XINFO', 'STREAM', key, ...full),
      ];
      assert.deepEqual(our, their);
    }
    us.close();
    them.close();
  });
});

/** Lists whose order is not told are compared sorted; one error was worded anew in Redis 7.2. */
function normal(command: string, reply: string): string {
  if (/^(?:KEYS|SCAN)/.test(command)) return reply.split('\r\n').sort().join('\r\n');
  return reply.replace('Unbalanced XREAD list', "Unbalanced 'xread' list");
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}...` : text);
}

async function copyStreams(from: number, to: number): Promise<void> {
  const [source, target] = [await RespClient.connect(from), await RespClient.connect(to)];
  for (const name of (await source.call('KEYS', '*')) as readonly string[]) {
    const entries = (await source.call('XRANGE', name, '-', '+')) as readonly RespValue[];
    for (const [id, fields] of entries as readonly (readonly [string, readonly string[]])[]) {
      assert.equal(await target.call('XADD', name, id, ...fields), id);
    }
  }
  source.close();
  target.close();
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
