import assert from 'node:assert/strict';
import { widenXid } from './xid-sample.ts';

const epoch = 1n << 32n;

describe('transaction ids of 32 bits', () => {
  it('get the upper half of the ids around them', () => {
    assert.equal(widenXid(100, 200n), 100n);
    assert.equal(widenXid(100, 5n * epoch + 200n), 5n * epoch + 100n);
  });

  it('may be older than the last wrap-around', () => {
    assert.equal(widenXid(0xffff_fff0, 5n * epoch + 3n), 4n * epoch + 0xffff_fff0n);
  });

  it('may be newer than the sample', () => {
    assert.equal(widenXid(5, 4n * epoch + 0xffff_fff0n), 5n * epoch + 5n);
    assert.equal(widenXid(300, 200n), 300n);
  });
});
