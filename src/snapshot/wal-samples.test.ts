import assert from 'node:assert/strict';
import type { WalSample } from '../contracts/wal-samples.ts';
import { walSampleGrace, walSamplesMax } from '../core/limits.ts';
import { WalSampleRecorder } from './wal-samples.ts';

describe('samples of the WAL', () => {
  it('are answered by the oldest open transaction', async () => {
    const recorder = new WalSampleRecorder(1);
    recorder.add({ lsn: 10n, nextXid: 100n, xmin: 90n });
    recorder.add({ lsn: 20n, nextXid: 110n, xmin: 90n });
    assert.equal(await at(recorder, 99n), undefined);
    assert.deepEqual(await at(recorder, 100n), { lsn: 10n, nextXid: 100n });
    assert.deepEqual(await at(recorder, 500n), { lsn: 20n, nextXid: 110n });
  });

  it('keep the older one where nothing was written between two', async () => {
    const recorder = new WalSampleRecorder(1);
    recorder.add({ lsn: 10n, nextXid: 100n, xmin: 90n });
    recorder.add({ lsn: 10n, nextXid: 105n, xmin: 90n });
    assert.deepEqual(recorder.samples(), [{ lsn: 10n, nextXid: 100n }]);
  });

  it('go when nobody can ask for them any more', async () => {
    const recorder = new WalSampleRecorder(1);
    const last = BigInt(walSampleGrace * 3);
    for (let n = 1n; n <= last; n += 1n) recorder.add({ lsn: n, nextXid: n, xmin: n });
    assert.equal(recorder.samples().length, walSampleGrace);
    const restored = new WalSampleRecorder(1, recorder.samples());
    assert.deepEqual(await at(restored, last), { lsn: last, nextXid: last });
  });

  it('are thinned out while a transaction stays open', async () => {
    const recorder = new WalSampleRecorder(1);
    const last = BigInt(walSamplesMax * 2);
    for (let n = 10n; n <= last; n += 1n) recorder.add({ lsn: n, nextXid: n, xmin: 10n });
    assert.ok(recorder.samples().length <= walSamplesMax);
    assert.deepEqual(await at(recorder, 10n), { lsn: 10n, nextXid: 10n });
    assert.deepEqual(await at(recorder, last), { lsn: last, nextXid: last });
  });

  it('go when the server has lost the WAL they are of', async () => {
    const recorder = new WalSampleRecorder(1);
    recorder.add({ lsn: 10n, nextXid: 100n, xmin: 90n });
    recorder.add({ lsn: 20n, nextXid: 110n, xmin: 90n });
    assert.equal(recorder.add({ lsn: 15n, nextXid: 105n, xmin: 90n }), true);
    assert.deepEqual(recorder.samples(), [
      { lsn: 10n, nextXid: 100n },
      { lsn: 15n, nextXid: 105n },
    ]);
  });

  it('may go back to ids that nobody wrote anything under before a crash', async () => {
    const recorder = new WalSampleRecorder(1, [{ lsn: 10n, nextXid: 100n }]);
    recorder.add({ lsn: 20n, nextXid: 95n, xmin: 95n });
    assert.deepEqual(await at(recorder, 97n), { lsn: 20n, nextXid: 95n });
  });
});

async function at(recorder: WalSampleRecorder, xmin: bigint): Promise<WalSample | undefined> {
  const { sample } = await recorder.walSample(xmin);
  return sample;
}
