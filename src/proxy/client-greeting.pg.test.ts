import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import pg from 'pg';
import { testPostgres } from '../testing/test-postgres.ts';
import { proxyUnderTest } from './testing/proxy-under-test.ts';
import { gssRequest, sslRequest, startupPacket } from './testing/startup.ts';
import { testCertificate, testKey } from './testing/test-certificate.ts';
import { errorOf, typesOf, valuesOf, WireClient } from './testing/wire-client.ts';

const clientTls = { certificate: testCertificate, key: testKey };

async function oneByte(socket: net.Socket): Promise<string> {
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.equal(answer.length, 1);
  return answer.toString();
}

describe('client greeting', function () {
  this.timeout(20_000);
  let plain: Awaited<ReturnType<typeof proxyUnderTest>>;
  let secure: Awaited<ReturnType<typeof proxyUnderTest>>;

  before(async () => {
    plain = await proxyUnderTest();
    secure = await proxyUnderTest({ clientTls });
  });
  after(() => Promise.all([plain.proxy.stop(), secure.proxy.stop()]));

  it('refuses encryption it does not have and goes on in the clear', async () => {
    const client = await WireClient.connect(plain.address, 'silent');
    client.socket.removeAllListeners('data');
    client.send(gssRequest);
    assert.equal(await oneByte(client.socket), 'N');
    client.send(sslRequest);
    assert.equal(await oneByte(client.socket), 'N');
    client.close();
    const pgClient = new pg.Client({ ...plain.address, user: 'postgres', ssl: true });
    await assert.rejects(pgClient.connect(), /does not support SSL/);
  });

  it('answers each request once', async () => {
    const client = await WireClient.connect(plain.address, 'silent');
    client.socket.removeAllListeners('data');
    client.send(sslRequest);
    assert.equal(await oneByte(client.socket), 'N');
    client.send(sslRequest);
    const [answer] = (await once(client.socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^E.*0A000.*unsupported frontend protocol 1234\.5679/s);
  });

  it('takes nothing that came in one piece with a request', async () => {
    for (const [request, name] of [
      [sslRequest, 'SSL'],
      [gssRequest, 'GSSAPI encryption'],
    ] as const) {
      const client = await WireClient.connect(plain.address, 'silent');
      client.socket.removeAllListeners('data');
      client.send(Buffer.concat([request, startupPacket({ user: 'postgres' })]));
      let answer = '';
      client.socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString('latin1');
      });
      await once(client.socket, 'end');
      assert.match(
        answer,
        new RegExp(`^NE.*08P01.*received unencrypted data after ${name} request`, 's'),
      );
    }
  });

  it('has no other encryption inside of TLS', async () => {
    const client = await WireClient.connect(secure.address, 'silent');
    client.socket.removeAllListeners('data');
    client.send(sslRequest);
    assert.equal(await oneByte(client.socket), 'S');
    const inside = tls.connect({
      socket: client.socket,
      ca: testCertificate,
      servername: 'localhost',
    });
    await once(inside, 'secureConnect');
    inside.write(gssRequest);
    const [answer] = (await once(inside, 'data')) as [Buffer];
    assert.match(answer.toString(), /^E.*0A000.*unsupported frontend protocol 1234\.5680/s);
    inside.destroy();
  });

  it('encrypts on request', async () => {
    const client = new pg.Client({
      ...secure.address,
      user: 'postgres',
      ssl: { ca: testCertificate },
    });
    await client.connect();
    const { rows } = await client.query("SELECT repeat('x', 1000000) AS x");
    assert.equal(rows[0].x.length, 1_000_000);
    await client.end();
  });

  it('takes plain clients beside encrypted ones', async () => {
    const client = await WireClient.connect(secure.address);
    assert.equal(typesOf(await client.query('SELECT 1')), 'TDCZ');
    client.close();
  });

  it('encrypts from the first byte when the protocol is named', async () => {
    const socket = tls.connect({
      ...secure.address,
      ca: testCertificate,
      ALPNProtocols: ['postgresql'],
    });
    await once(socket, 'secureConnect');
    const client = WireClient.over(socket);
    client.send(startupPacket({ user: 'postgres' }));
    await client.until('Z');
    assert.deepEqual(valuesOf(await client.query('SELECT 42')), ['42']);
    client.close();
  });

  it('refuses direct TLS that does not name the protocol', async () => {
    const socket = tls.connect({ ...secure.address, ca: testCertificate });
    await once(socket, 'secureConnect');
    assert.equal(errorOf(await WireClient.over(socket).ended())['C'], '08P01');
    const other = tls.connect({ ...secure.address, ca: testCertificate, ALPNProtocols: ['h2'] });
    await once(other, 'error');
  });

  it('refuses bytes in the clear behind an SSLRequest', async () => {
    const client = await WireClient.connect(secure.address, 'silent');
    client.send(sslRequest, startupPacket({ user: 'postgres' }));
    assert.equal(errorOf(await client.ended())['C'], '08P01');
  });

  it('closes without a word on what is no startup packet', async () => {
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0, 0, 0, 7, 0, 3, 0]),
      Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]),
      Buffer.from([0, 0, 0, 12, 4, 0xd2, 0x16, 0x2e, 0, 0, 0, 1]),
    ]) {
      for (const { address } of [plain, secure]) {
        const client = await WireClient.connect(address, 'silent');
        client.send(bytes);
        client.socket.end();
        await client.ended();
      }
    }
    const client = await WireClient.connect(plain.address);
    client.close();
  });

  it('leaves other protocol versions to the server', async () => {
    const client = await WireClient.connect(plain.address, 'silent');
    client.socket.removeAllListeners('data');
    const bytes: Buffer[] = [];
    client.socket.on('data', (chunk: Buffer) => bytes.push(chunk));
    client.send(startupPacket({ user: 'postgres' }, 0, 2));
    await client.ended();
    // Such an old client gets its error in the framing of its time.
    assert.match(Buffer.concat(bytes).toString(), /^EFATAL: .*unsupported frontend protocol 2\.0/);
  });

  it('takes a startup packet byte by byte', async () => {
    const client = await WireClient.connect(plain.address, 'silent');
    for (const byte of startupPacket({ user: 'postgres' })) client.send(Buffer.from([byte]));
    await client.until('Z');
    client.close();
  });

  it('says so when there are too many clients', async () => {
    const small = await proxyUnderTest({ connectionsMax: 1 });
    const first = await WireClient.connect(small.address);
    const second = await WireClient.connect(small.address, 'silent');
    second.send(startupPacket({ user: 'postgres' }));
    assert.equal(errorOf(await second.ended())['C'], '53300');
    assert.equal(typesOf(await first.query('SELECT 1')), 'TDCZ');
    await small.proxy.stop();
  });

  it('passes passwords without knowing them', async function () {
    // Only a server of the tests' own gets other authentication rules.
    if (process.env['HELIOSDB_TEST_UPSTREAM'] !== undefined) this.skip();
    const postgres = await testPostgres();
    const direct = new pg.Client({ connectionString: postgres.url('postgres') });
    await direct.connect();
    await direct.query("CREATE ROLE scram LOGIN PASSWORD 'right'");
    await direct.query(
      "SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 'right'",
    );
    const { rows } = await direct.query('SHOW hba_file');
    const rules = [
      'host all scram all scram-sha-256',
      'host all hashed all md5',
      'host all all all trust',
      'host replication all all trust',
    ];
    const lines = rules.map((rule) => `('${rule}')`).join(', ');
    await direct.query(`COPY (VALUES ${lines}) TO ${direct.escapeLiteral(rows[0].hba_file)}`);
    await direct.query('SELECT pg_reload_conf()');
    for (const user of ['scram', 'hashed']) {
      const login = async (password: string): Promise<string> => {
        const client = new pg.Client({ ...plain.address, user, password, database: 'postgres' });
        try {
          await client.connect();
          return (await client.query('SELECT session_user')).rows[0].session_user;
        } finally {
          await client.end();
        }
      };
      // The new rules hold from the moment a wrong password is refused.
      for (let refused = false; !refused; ) {
        refused = await login('wrong').then(
          () => false,
          (error: { code: string }) => error.code === '28P01',
        );
      }
      assert.equal(await login('right'), user);
    }
    await direct.end();
  });
});
