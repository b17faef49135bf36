import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { testPostgres } from '../testing/test-postgres.ts';
import type { ConnectionTarget } from './connection-target.ts';
import { isServing, probeUpstream } from './probe-upstream.ts';

describe('a probe of the upstream', () => {
  let target: ConnectionTarget;

  before(async () => {
    const { host, port, user } = await testPostgres();
    const password = undefined;
    target = {
      host,
      port,
      user,
      password,
      database: 'postgres',
      sslMode: 'prefer',
      authority: undefined,
    };
  });

  it('tells that it was let in without a password', async () => {
    const probe = await probeUpstream(target);
    assert.deepEqual(probe, { kind: 'admitted', asked: false });
    assert.ok(isServing(probe));
  });

  it('tells why it was refused, which is an answer too', async () => {
    const probe = await probeUpstream({ ...target, database: 'no_such_database' });
    assert.equal(probe.kind === 'refused' && probe.code, '3D000');
    assert.equal(probe.kind === 'refused' && probe.asked, false);
    assert.ok(isServing(probe));
  });

  it('tells that the server has no TLS when that is required', async () => {
    const probe = await probeUpstream({ ...target, sslMode: 'require' });
    assert.equal(probe.kind === 'unreachable' && probe.failure, 'no-tls');
  });

  it('tells that nobody answers', async () => {
    const probe = await probeUpstream({ ...target, port: 1 });
    assert.equal(probe.kind === 'unreachable' && probe.failure, 'no-answer');
    assert.ok(!isServing(probe));
  });

  it('tells that a password is asked for', async () => {
    const authenticationCleartext = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
    const asking = createServer((socket) => {
      socket.once('data', () => socket.write(authenticationCleartext));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => asking.listen(0, '127.0.0.1', resolve));
    const { port } = asking.address() as { port: number };
    const probe = await probeUpstream({ ...target, host: '127.0.0.1', port, sslMode: 'disable' });
    asking.close();
    assert.deepEqual(probe, { kind: 'asked' });
    assert.ok(isServing(probe));
  });

  it('knows that a server which starts or stops does not serve', () => {
    for (const code of ['57P01', '57P03', '53300']) {
      assert.ok(!isServing({ kind: 'refused', asked: false, code, message: '' }));
    }
  });
});
