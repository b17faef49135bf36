import assert from 'node:assert/strict';
import { xidFrom, xidNear } from './xid.ts';

const circle = 1n << 32n;

describe('transaction ids of 64 bits', () => {
  it('are the least that is not before another', () => {
    assert.equal(xidFrom(5n, 3n), 5n);
    assert.equal(xidFrom(5n, 0x1_ffff_fff0n), 0x2_0000_0005n);
    assert.equal(xidFrom(-2_147_483_643n, 0x1_8000_0000n), 0x1_8000_0005n);
  });

  it('are of the same circle as the next one', () => {
    assert.equal(xidNear(100n, 200n), 100n);
    assert.equal(xidNear(100n, 5n * circle + 200n), 5n * circle + 100n);
  });

  it('are of the circle before or behind, where that is nearer', () => {
    assert.equal(xidNear(0xffff_fff0n, 5n * circle + 3n), 4n * circle + 0xffff_fff0n);
    assert.equal(xidNear(5n, 4n * circle + 0xffff_fff0n), 5n * circle + 5n);
    assert.equal(xidNear(300n, 200n), 300n);
  });
});
