import assert from 'node:assert/strict';
import fc from 'fast-check';
import { serialize } from 'pg-protocol';
import { cancelKeyBytesMax, startupPacketBytesMax } from '../core/limits.ts';
import { asksForReplication, decodeStartupPacket, sslRequest } from './startup-packet.ts';

function packet(code: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(8 + bodyBytes);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(code, 4);
  return bytes;
}

describe('startup packet', () => {
  it('gives version and parameters', () => {
    const bytes = serialize.startup({ user: 'mé', database: 'd', replication: 'true' });
    const decoded = decodeStartupPacket(Buffer.concat([bytes, Buffer.from('behind')]));
    assert.ok(decoded.kind === 'startup');
    assert.equal(decoded.packetBytes, bytes.length);
    assert.deepEqual([decoded.major, decoded.minor], [3, 0]);
    assert.equal(decoded.parameters.get('user'), 'mé');
    assert.equal(decoded.parameters.get('replication'), 'true');
  });

  it('knows requests from versions', () => {
    assert.equal(decodeStartupPacket(serialize.requestSsl()).kind, 'ssl-request');
    assert.deepEqual(sslRequest, serialize.requestSsl());
    assert.equal(decodeStartupPacket(packet(80877104, 0)).kind, 'gss-request');
    assert.equal(decodeStartupPacket(serialize.cancel(1, 2)).kind, 'cancel-request');
  });

  it('takes cancel keys of 4 to 256 bytes', () => {
    const kindOf = (keyBytes: number): string =>
      decodeStartupPacket(packet(80877102, 4 + keyBytes)).kind;
    assert.equal(kindOf(4), 'cancel-request');
    assert.equal(kindOf(cancelKeyBytesMax), 'cancel-request');
    assert.equal(kindOf(3), 'malformed');
    assert.equal(kindOf(cancelKeyBytesMax + 1), 'malformed');
  });

  it('waits for what is not there yet, and refuses lengths Postgres refuses', () => {
    const bytes = serialize.startup({ user: 'u' });
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.equal(decodeStartupPacket(bytes.subarray(0, cut)).kind, 'incomplete');
    }
    for (const length of [0, 7, startupPacketBytesMax + 1, 0xffff_ffff]) {
      const header = Buffer.alloc(8);
      header.writeUInt32BE(length, 0);
      assert.equal(decodeStartupPacket(header).kind, 'malformed');
    }
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeStartupPacket(Buffer.from(bytes));
      }),
    );
  });
});

describe('replication parameter', () => {
  const asks = (value?: string): boolean =>
    asksForReplication(new Map(value === undefined ? [] : [['replication', value]]));

  it('is taken as Postgres takes a boolean, or as database', () => {
    for (const value of ['true', 'on', 'yes', '1', 'database', 'T', 'nonsense', '']) {
      assert.equal(asks(value), true, value);
    }
    for (const value of [undefined, 'false', 'off', 'of', 'no', '0', 'F', 'n']) {
      assert.equal(asks(value), false, value);
    }
  });
});
