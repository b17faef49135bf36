import assert from 'node:assert/strict';
import { restartDelayMax, restartDelayMin, restartStableMs } from '../limits.ts';
import { Backoff } from './backoff.ts';
import { proxyProcesses } from './role-processes.ts';

describe('restarts', () => {
  it('are put off twice as long each time, up to a maximum', () => {
    const backoff = new Backoff();
    const delays = Array.from({ length: 12 }, () => backoff.next(0));
    assert.deepEqual(
      delays.slice(0, 3),
      [1, 2, 4].map((factor) => factor * restartDelayMin),
    );
    assert.equal(delays.at(-1), restartDelayMax);
    assert.equal(Math.max(...delays), restartDelayMax);
  });

  it('are quick again after a healthy time', () => {
    const backoff = new Backoff();
    backoff.next(0);
    backoff.next(0);
    assert.equal(backoff.next(restartStableMs), restartDelayMin);
  });
});

describe('the proxies of a node', () => {
  it('leave a core to the database', () => {
    assert.deepEqual([1, 2, 4, 64].map(proxyProcesses), [1, 1, 3, 8]);
  });
});
