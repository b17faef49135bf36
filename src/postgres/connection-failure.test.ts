import assert from 'node:assert/strict';
import { type ConnectionOptions, connect, createServer } from 'node:tls';
import { testCertificate, testKey } from '../proxy/testing/test-certificate.ts';
import { classifyFailure, reasonOfFailure } from './connection-failure.ts';

describe('a failure to connect', () => {
  for (const [failure, cause] of [
    ['timeout', new TypeError('timeout expired')],
    ['timeout', withCode('ETIMEDOUT')],
    ['unknown-host', withCode('ENOTFOUND')],
    ['no-tls', new TypeError('The server does not support SSL connections')],
    ['tls', withCode('CERT_HAS_EXPIRED')],
    ['tls', withCode('ERR_SSL_WRONG_VERSION_NUMBER')],
    ['no-answer', withCode('ECONNREFUSED')],
    ['no-answer', 'thrown by nobody knows whom'],
    ['timeout', new AggregateError([withCode('ETIMEDOUT'), withCode('ECONNREFUSED')])],
  ] as const) {
    it(`is told apart: ${failure} of ${reasonOfFailure(cause)}`, () => {
      assert.equal(classifyFailure(cause), failure);
    });
  }

  it('is told apart by what Node says of a certificate', async () => {
    assert.equal(classifyFailure(await handshake({})), 'untrusted-certificate');
    const trusted = { ca: testCertificate };
    const elsewhere = { ...trusted, servername: 'db.example' };
    assert.equal(classifyFailure(await handshake(elsewhere)), 'other-name');
    assert.equal(await handshake(trusted), undefined);
  });
});

function withCode(code: string): unknown {
  return Object.assign(new TypeError(code), { code });
}

/** The error of a client that verifies the certificate of the tests. */
async function handshake(options: ConnectionOptions): Promise<unknown> {
  const server = createServer({ cert: testCertificate, key: testKey });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return new Promise<unknown>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...options });
    socket.once('secureConnect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', resolve);
    socket.once('close', () => server.close());
  });
}
