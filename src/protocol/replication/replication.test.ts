import assert from 'node:assert/strict';
import { keepaliveEndLsn, keepaliveSentAt, keepaliveWantsReply } from './primary-keepalive.ts';
import { replicationMessageAt } from './replication-message.ts';
import { encodeStandbyStatus } from './standby-status.ts';
import {
  xlogDataEndLsn,
  xlogDataHeadBytes,
  xlogDataSentAt,
  xlogDataStartLsn,
} from './xlog-data.ts';

const before = Buffer.from('64ffffffff', 'hex');

describe('replication messages', () => {
  it('are read where they stand', () => {
    const data = Buffer.from(
      `77${'fedcba9876543210'}${'00000001000000ff'}${'0000000000000005'}42`,
      'hex',
    );
    const bytes = Buffer.concat([before, data]);
    assert.equal(replicationMessageAt(bytes, 5, bytes.length), 'xlog-data');
    assert.equal(xlogDataStartLsn(bytes, 5), 0xfedcba9876543210n);
    assert.equal(xlogDataEndLsn(bytes, 5), 0x1000000ffn);
    assert.equal(xlogDataSentAt(bytes, 5), 5n);
    assert.equal(bytes[5 + xlogDataHeadBytes], 0x42);
  });

  it('tell whether an answer is wanted', () => {
    for (const [flag, wanted] of [
      ['00', false],
      ['01', true],
    ] as const) {
      const data = Buffer.from(`6b${'00000001000000ff'}${'ffffffffffffffff'}${flag}`, 'hex');
      const bytes = Buffer.concat([before, data]);
      assert.equal(replicationMessageAt(bytes, 5, bytes.length), 'keepalive');
      assert.equal(keepaliveEndLsn(bytes, 5), 0x1000000ffn);
      assert.equal(keepaliveSentAt(bytes, 5), -1n);
      assert.equal(keepaliveWantsReply(bytes, 5), wanted);
    }
  });

  it('are malformed when they are cut off or something else', () => {
    const bytes = Buffer.alloc(40, 0x77);
    assert.equal(replicationMessageAt(bytes, 0, 24), 'malformed');
    assert.equal(replicationMessageAt(bytes, 20, 60), 'malformed');
    assert.equal(replicationMessageAt(Buffer.alloc(17, 0x6b), 0, 17), 'malformed');
    assert.equal(replicationMessageAt(Buffer.alloc(40), 0, 40), 'malformed');
    assert.equal(replicationMessageAt(bytes, 0, 0), 'malformed');
  });

  it('a status update is one CopyData', () => {
    const frame = encodeStandbyStatus({
      writtenLsn: 0xffff_ffff_ffff_ffffn,
      flushedLsn: 2n,
      appliedLsn: 3n,
      sentAtMicros: 946_684_800_000_007n,
      wantsReply: true,
    });
    const numbers = `${'f'.repeat(16)}${'0'.repeat(15)}2${'0'.repeat(15)}3${'0'.repeat(15)}7`;
    assert.equal(frame.toString('hex'), `6400000026${'72'}${numbers}01`);
  });
});
