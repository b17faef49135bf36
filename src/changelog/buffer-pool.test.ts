import assert from 'node:assert/strict';
import { BufferPool } from './buffer-pool.ts';

describe('a pool of buffers', () => {
  it('gives out memory that came back, in the length that is asked for', () => {
    const pool = new BufferPool(100, 2);
    const first = pool.take(100);
    pool.giveBack(first);
    const second = pool.take(7);
    assert.equal(second.buffer, first.buffer);
    assert.equal(second.length, 7);
  });

  it('never gives out what is in use', () => {
    const pool = new BufferPool(100, 8);
    const used = new Set<unknown>();
    const taken = Array.from({ length: 8 }, () => pool.take(50));
    for (const { buffer } of taken) used.add(buffer);
    assert.equal(used.size, 8);
  });

  it('keeps neither more than it may nor what is larger', () => {
    const pool = new BufferPool(100, 1);
    const taken = [pool.take(10), pool.take(10), pool.take(101)];
    assert.equal(taken[2]!.length, 101);
    for (const buffer of taken) pool.giveBack(buffer);
    assert.equal(pool.take(10).buffer, taken[0]!.buffer);
    for (const buffer of [pool.take(10), pool.take(101)]) {
      assert.ok(taken.every((one) => one.buffer !== buffer.buffer));
    }
  });
});
