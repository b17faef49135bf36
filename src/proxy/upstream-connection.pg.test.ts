import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'pg-protocol';
import { expectedResponsesMax } from '../core/limits.ts';
import { encodeFrame } from '../protocol/frame-writer.ts';
import { serverMessage } from '../protocol/message-types.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import {
  type FakeUpstream,
  fakeUpstream,
  readyForQuery,
  welcome,
} from './testing/fake-upstream.ts';
import { proxyUnderTest } from './testing/proxy-under-test.ts';
import { startupPacket } from './testing/startup.ts';
import { testCertificate, testKey } from './testing/test-certificate.ts';
import { errorOf, query, sync, typesOf, WireClient } from './testing/wire-client.ts';
import { connectUpstream, type SslMode, type Upstream } from './upstream-connection.ts';

describe('upstream connection', function () {
  this.timeout(20_000);

  const answerThrough = async (upstream: Upstream): Promise<WireClient> => {
    const { proxy } = await proxyUnderTest({ upstream });
    const client = await WireClient.connect(proxy.address, 'silent');
    client.send(startupPacket({ user: 'postgres' }));
    client.socket.once('close', () => void proxy.stop());
    return client;
  };

  it('that is refused is told to the client', async () => {
    const gone = await fakeUpstream(() => undefined);
    gone.close();
    const client = await answerThrough({ ...gone.address, tls: { mode: 'prefer' } });
    const where = `server at "127.0.0.1", port ${gone.address.port}`;
    assert.deepEqual(errorOf(await client.ended()), {
      S: 'FATAL',
      V: 'FATAL',
      C: '08006',
      M: 'could not connect to the upstream server',
      D: `Connection to ${where} failed: connection refused.`,
      H: 'Check that the upstream server is running and that the proxy was given its address.',
    });
  });

  it('to a socket that is not there is told to the client', async () => {
    const client = await answerThrough({ host: '/nowhere', port: 5432 });
    const detail = errorOf(await client.ended())['D'];
    assert.match(detail ?? '', /server on socket "\/nowhere\/\.s\.PGSQL\.5432".*no such file/);
  });

  it('goes through a Unix socket', async () => {
    const { host, port } = await testPostgres();
    const directory = mkdtempSync(join(tmpdir(), 'heliosdb-socket-'));
    // What Postgres would listen on itself, had the tests' server a socket directory.
    const listening = net.createServer((socket) => {
      const server = net.connect({ host, port });
      socket.pipe(server).pipe(socket);
    });
    await new Promise<void>((resolve) => {
      listening.listen(join(directory, '.s.PGSQL.5432'), resolve);
    });
    const client = await answerThrough({ host: directory, port: 5432, tls: { mode: 'require' } });
    await client.until('Z');
    assert.equal(typesOf(await client.query('SELECT 1')), 'TDCZ');
    client.close();
    listening.close();
    rmSync(directory, { recursive: true });
  });

  it('to something else than Postgres is told to the client', async () => {
    const other = await fakeUpstream((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const client = await answerThrough({ ...other.address, tls: { mode: 'require' } });
    assert.match(errorOf(await client.ended())['D'] ?? '', /does not speak the Postgres protocol/);
    other.close();
  });

  describe('with TLS', () => {
    let secure: Awaited<ReturnType<typeof proxyUnderTest>>;
    before(async () => {
      // A proxy that offers TLS stands in for a server that does.
      secure = await proxyUnderTest({ clientTls: { certificate: testCertificate, key: testKey } });
    });
    after(() => secure.proxy.stop());

    const encryptedWith = async (
      mode: SslMode,
      more: { host?: string; authority?: string } = {},
    ): Promise<boolean> => {
      const { host = '127.0.0.1', authority } = more;
      const socket = await connectUpstream({
        host,
        port: secure.address.port,
        tls: { mode, ...(authority === undefined ? {} : { authority }) },
      });
      const isEncrypted = 'encrypted' in socket;
      socket.destroy();
      return isEncrypted;
    };

    it('is encrypted as the mode says', async () => {
      assert.equal(await encryptedWith('disable'), false);
      assert.equal(await encryptedWith('prefer'), true);
      assert.equal(await encryptedWith('require'), true);
      const authority = testCertificate;
      assert.equal(await encryptedWith('require', { authority }), true);
      assert.equal(await encryptedWith('verify-ca', { authority }), true);
      assert.equal(await encryptedWith('verify-full', { authority }), true);
      assert.equal(await encryptedWith('verify-full', { authority, host: 'localhost' }), true);
    });

    it('refuses a certificate nobody trusts', async () => {
      for (const mode of ['verify-ca', 'verify-full'] as const) {
        await assert.rejects(encryptedWith(mode), { code: '08006', detail: /self-signed/ });
      }
    });

    it('refuses another name only when the whole is verified', async () => {
      const elsewhere = { host: '127.0.0.2', authority: testCertificate };
      const listening = await proxyUnderTest({
        listen: { host: '127.0.0.2', port: secure.address.port },
        clientTls: { certificate: testCertificate, key: testKey },
      });
      assert.equal(await encryptedWith('verify-ca', elsewhere), true);
      await assert.rejects(encryptedWith('verify-full', elsewhere), { code: '08006' });
      await listening.proxy.stop();
    });

    it('serves sessions and cancels', async () => {
      const { proxy } = await proxyUnderTest({
        upstream: { ...secure.address, tls: { mode: 'require' } },
      });
      const client = await WireClient.connect(proxy.address);
      assert.equal(typesOf(await client.query("SELECT repeat('x', 300000)")), 'TDCZ');
      client.close();
      await proxy.stop();
    });

    it('insists on encryption where the server has none', async () => {
      const { host, port } = await testPostgres();
      const upstream: Upstream = { host, port, tls: { mode: 'require' } };
      await assert.rejects(connectUpstream(upstream), {
        code: '08006',
        detail: /does not support TLS/,
      });
      const plain = await connectUpstream({ host, port, tls: { mode: 'prefer' } });
      plain.destroy();
    });
  });

  describe('that is lost', () => {
    let upstream: FakeUpstream;
    let answer: Buffer;
    const connect = async (): Promise<WireClient> => {
      upstream = await fakeUpstream((socket) => {
        socket.once('data', () => {
          socket.write(welcome);
          socket.on('data', () => {
            if (answer.length === 0) socket.resetAndDestroy();
            else socket.end(answer);
          });
        });
      });
      const client = await answerThrough({ ...upstream.address, tls: { mode: 'disable' } });
      await client.until('Z');
      return client;
    };
    afterEach(() => upstream.close());

    it('between messages ends the session with 08006', async () => {
      for (answer of [
        Buffer.alloc(0),
        encodeFrame(serverMessage.rowDescription, Buffer.alloc(2)),
      ]) {
        const client = await connect();
        client.send(query('SELECT 1'));
        assert.equal(errorOf(await client.ended())['C'], '08006');
        upstream.close();
      }
    });

    it('in the middle of a message ends it without a word', async () => {
      answer = encodeFrame(serverMessage.dataRow, Buffer.alloc(100)).subarray(0, 50);
      const client = await connect();
      client.send(query('SELECT 1'));
      assert.deepEqual(await client.ended(), []);
    });

    it('behind an error adds nothing to it', async () => {
      answer = encodeFrame(serverMessage.errorResponse, Buffer.from('SFATAL\0C57P01\0Mbye\0\0'));
      const client = await connect();
      client.send(query('SELECT 1'));
      assert.equal(errorOf(await client.ended())['M'], 'bye');
    });
  });

  it('that sends a length no message can have is relayed unread', async () => {
    const upstream = await fakeUpstream((socket) => {
      socket.once('data', () =>
        socket.end(Buffer.concat([welcome, Buffer.from('44000000000102', 'hex')])),
      );
    });
    const client = await answerThrough({ ...upstream.address, tls: { mode: 'disable' } });
    const bytes: Buffer[] = [];
    client.socket.on('data', (chunk: Buffer) => bytes.push(chunk));
    await client.ended();
    assert.ok(Buffer.concat(bytes).toString('hex').endsWith('44000000000102'));
    upstream.close();
  });

  it('that answers nothing makes the client wait once the queue is full', async () => {
    let received = 0;
    let wake: () => void = () => undefined;
    const more = (): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
      });
    const upstream = await fakeUpstream((socket) => {
      socket.once('data', () => {
        socket.write(welcome);
        socket.on('data', (chunk) => {
          received += chunk.length;
          wake();
        });
      });
    });
    const client = await answerThrough({ ...upstream.address, tls: { mode: 'disable' } });
    await client.until('Z');
    const count = expectedResponsesMax + 1000;
    client.send(...new Array<Buffer>(count).fill(sync));
    const until = async (bytes: number): Promise<void> => {
      while (received < bytes) await more();
    };
    await until(expectedResponsesMax * sync.length);
    assert.equal(received, expectedResponsesMax * sync.length);
    // Half of the answers make room again.
    upstream.sockets[0]?.write(Buffer.concat(new Array<Buffer>(count / 2 + 8).fill(readyForQuery)));
    await until(count * sync.length);
    client.send(serialize.end());
    client.close();
    upstream.close();
  });

  it('that does not read makes the client wait', async () => {
    const upstream = await fakeUpstream((socket) => {
      socket.once('data', () => {
        socket.write(welcome);
        socket.pause();
      });
    });
    const { proxy, witness } = await proxyUnderTest({
      upstream: { ...upstream.address, tls: { mode: 'disable' } },
    });
    const client = await WireClient.connect(proxy.address);
    const chunk = serialize.copyData(Buffer.alloc(1_000_000));
    const total = 100 * chunk.length;
    for (let i = 0; i < 100; i++) client.socket.write(chunk);
    await witness.until(() => witness.transferredBytes['client-to-server'] > chunk.length);
    // Another session is served meanwhile; this one gets no further than buffers reach.
    const other = await WireClient.connect(proxy.address);
    assert.ok(witness.transferredBytes['client-to-server'] < total / 2);
    for (const one of [client, other]) one.close();
    await proxy.stop();
    upstream.close();
  });
});
