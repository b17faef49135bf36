import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { FrameReader } from '../protocol/frame-reader.ts';
import { headerBytes, serverMessage } from '../protocol/message-types.ts';
import { replicationMessageAt } from '../protocol/replication/replication-message.ts';
import { xlogDataHeadBytes } from '../protocol/replication/xlog-data.ts';
import { requireCommand } from '../testing/require-service.ts';
import { makeTestCluster, type TestServer } from '../testing/test-cluster.ts';
import type { ConnectionTarget, SslMode } from './connection-target.ts';
import { ReplicationConnection } from './replication-stream.ts';

const rows = 20_000;

describe('the stream of a slot', function () {
  this.timeout(60_000);
  let server: TestServer;
  let client: Client;

  before(async function () {
    requireCommand(this, 'openssl');
    const cluster = await makeTestCluster();
    makeCertificate(cluster.directory);
    server = await cluster.start({
      settings: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
    });
    client = new Client({ connectionString: server.url });
    await client.connect();
    await client.query(`CREATE TABLE streamed (id int, note text);
      CREATE PUBLICATION everything FOR ALL TABLES`);
    await client.query(`SELECT pg_create_logical_replication_slot(name, 'pgoutput')
      FROM unnest(ARRAY['plain', 'encrypted']) AS name`);
    await client.query(
      `INSERT INTO streamed SELECT n, repeat(n::text, n % 40) FROM generate_series(1, ${rows}) AS n`,
    );
  });

  after(async () => {
    await client?.end();
    await server?.stop();
  });

  it('is the same with TLS and without', async () => {
    const plain = await received(targetOf('disable'), 'plain');
    const encrypted = await received(targetOf('require'), 'encrypted');
    assert.equal(plain.length, rows);
    assert.deepEqual(encrypted, plain);
  });

  function targetOf(sslMode: SslMode): ConnectionTarget {
    const { hostname, port, username, pathname } = new URL(server.url);
    return {
      host: hostname,
      port: Number(port),
      user: username,
      password: undefined,
      database: pathname.slice(1),
      sslMode,
      authority: undefined,
    };
  }
});

/** The inserts of the first transaction, as they come. */
async function received(target: ConnectionTarget, slot: string): Promise<readonly string[]> {
  const replication = await ReplicationConnection.open(target);
  const reader = new FrameReader((_type, frameBytes) => frameBytes);
  const inserts: string[] = [];
  const options = "proto_version '1', publication_names 'everything'";
  await new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer): undefined => {
      reader.push(chunk);
      while (reader.next() === 'head') {
        const { bytes, end, type } = reader;
        const at = reader.start + headerBytes;
        if (type === serverMessage.errorResponse) reject(new Error(String(bytes)));
        if (type !== serverMessage.copyData) continue;
        if (replicationMessageAt(bytes, at, end) !== 'xlog-data') continue;
        const message = bytes.toString('latin1', at + xlogDataHeadBytes, end);
        if (message.startsWith('I')) inserts.push(message);
        if (message.startsWith('C')) resolve();
      }
    };
    const command = `START_REPLICATION SLOT "${slot}" LOGICAL 0/0 (${options})`;
    const socket = replication.start(command, take);
    socket.once('close', () => reject(new Error('the stream ended')));
  });
  await replication.close();
  return inserts;
}

/** Signed by itself, for as long as a test lasts; the server reads nobody else's key. */
function makeCertificate(directory: string): void {
  const [key, certificate] = [join(directory, 'server.key'), join(directory, 'server.crt')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
    ].concat(['-keyout', key, '-out', certificate]),
    { stdio: 'ignore' },
  );
  const { uid, gid } = statSync(directory);
  for (const file of [key, certificate]) chownSync(file, uid, gid);
}
