import assert from 'node:assert/strict';
import { walSampleGrace, walSamplesMax } from '../core/limits.ts';
import { WalSampleRecorder, widenXid } from './wal-samples.ts';

describe('samples of the WAL', () => {
  it('are answered by the oldest open transaction', () => {
    const recorder = new WalSampleRecorder(1);
    recorder.add({ lsn: 10n, nextXid: 100n, xmin: 90n });
    recorder.add({ lsn: 20n, nextXid: 110n, xmin: 90n });
    assert.equal(recorder.atOrBefore(99n), undefined);
    assert.deepEqual(recorder.atOrBefore(100n), { lsn: 10n, nextXid: 100n });
    assert.deepEqual(recorder.atOrBefore(500n), { lsn: 20n, nextXid: 110n });
  });

  it('keep the older one where nothing was written between two', () => {
    const recorder = new WalSampleRecorder(1);
    recorder.add({ lsn: 10n, nextXid: 100n, xmin: 90n });
    recorder.add({ lsn: 10n, nextXid: 105n, xmin: 90n });
    assert.deepEqual(recorder.samples(), [{ lsn: 10n, nextXid: 100n }]);
  });

  it('go when nobody can ask for them any more', () => {
    const recorder = new WalSampleRecorder(1);
    const last = BigInt(walSampleGrace * 3);
    for (let n = 1n; n <= last; n += 1n) recorder.add({ lsn: n, nextXid: n, xmin: n });
    assert.equal(recorder.samples().length, walSampleGrace);
    const restored = new WalSampleRecorder(1, recorder.samples());
    assert.deepEqual(restored.atOrBefore(last), { lsn: last, nextXid: last });
  });

  it('are thinned out while a transaction stays open', () => {
    const recorder = new WalSampleRecorder(1);
    const last = BigInt(walSamplesMax * 2);
    for (let n = 10n; n <= last; n += 1n) recorder.add({ lsn: n, nextXid: n, xmin: 10n });
    assert.ok(recorder.samples().length <= walSamplesMax);
    assert.deepEqual(recorder.atOrBefore(10n), { lsn: 10n, nextXid: 10n });
    assert.deepEqual(recorder.atOrBefore(last), { lsn: last, nextXid: last });
  });

  it('are refused in another order', () => {
    const recorder = new WalSampleRecorder(1);
    recorder.add({ lsn: 10n, nextXid: 100n, xmin: 90n });
    assert.throws(() => recorder.add({ lsn: 9n, nextXid: 100n, xmin: 90n }), RangeError);
  });

  it('have ids of 64 bits', () => {
    assert.equal(widenXid(5n, 3n), 5n);
    assert.equal(widenXid(5n, 0x1_ffff_fff0n), 0x2_0000_0005n);
    assert.equal(widenXid(-2_147_483_643n, 0x1_8000_0000n), 0x1_8000_0005n);
  });
});
