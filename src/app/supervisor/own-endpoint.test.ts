import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { parseAddress } from '../config/address.ts';
import { parseUpstream } from '../config/upstream.ts';
import { refuseOwnEndpoint } from './own-endpoint.ts';

const outer = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

describe('the upstream of a node', () => {
  for (const [host, listen] of [
    ['127.0.0.1', '127.0.0.1:6432'],
    ['localhost', '127.0.0.1:6432'],
    ['127.0.0.1', 'localhost:6432'],
    ['0.0.0.0', '127.0.0.1:6432'],
    ['127.0.0.1', '0.0.0.0:6432'],
    ['127.1.2.3', ':6432'],
    ['[::1]', '[::]:6432'],
    ['127.0.0.1', '[::]:6432'],
    ['[::ffff:127.0.0.1]', '127.0.0.1:6432'],
    ...(outer === undefined ? [] : ([[outer, '0.0.0.0:6432']] as const)),
  ] as const) {
    it(`is not ${host} with --listen ${listen}`, async () => {
      await assert.rejects(refuse(`postgres://${host}:6432/shop`, listen), {
        message: /is where this node listens itself$/,
        hint: /--upstream.*--listen/,
      });
    });
  }

  for (const [url, listen] of [
    ['postgres://127.0.0.1:5432', '127.0.0.1:6432'],
    ['postgres://127.0.0.2:6432', '127.0.0.1:6432'],
    ['postgres://no-such-host.invalid:6432', '0.0.0.0:6432'],
    ['postgres://192.0.2.1:6432', '0.0.0.0:6432'],
    ['postgres:///shop?host=/run/postgresql&port=6432', '127.0.0.1:6432'],
    ...(outer === undefined ? [] : ([[`postgres://${outer}:6432`, '127.0.0.1:6432']] as const)),
  ] as const) {
    it(`may be ${url} with --listen ${listen}`, async () => {
      await assert.doesNotReject(refuse(url, listen));
    });
  }
});

function refuse(url: string, listen: string): Promise<void> {
  const address = parseAddress(listen);
  assert.ok(address);
  return refuseOwnEndpoint(parseUpstream(url, '--upstream'), address);
}
