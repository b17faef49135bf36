import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chunkBytesMax, chunksPutMax } from './limits.ts';
import { LocalLogReader } from './local-log-reader.ts';
import { readLogState } from './log-facts.ts';
import { LogWriter } from './log-writer.ts';
import type { TableShape } from './table-versions.ts';

const source = { systemId: '1', databaseOid: 5, database: 'd' };
const first = { source, timeline: 1, term: 1, epoch: 1, startLsn: 100n };

function shape(name: string): TableShape {
  return { oid: 1, schema: 'public', name, replicaIdentity: 'default', columns: [] };
}

describe('log writer', () => {
  let directory: string;
  let writer: LogWriter;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'heliosdb-test-'));
    writer = await LogWriter.open(directory, first);
  });

  afterEach(async () => {
    await writer.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function frames(bytes: number): ReturnType<LogWriter['begin']> {
    const begun = writer.begin();
    for (let left = bytes; left > 0; left -= 1_000) {
      begun.reserve(Math.min(left, 1_000), 1n);
      begun.count(1);
    }
    return begun;
  }

  async function append(bytes: number, lsn: bigint): Promise<void> {
    const commit = { commitLsn: lsn, endLsn: lsn + 8n, committedAt: 0n, xid: 1n };
    await writer.append(frames(bytes), { ...commit, hasSubxids: false });
  }

  it('never says on disk that it holds what is not written yet', async () => {
    writer.goOn({ term: 1, timeline: 1, beat: 0 });
    await writer.flush();
    await append(500, 200n);
    frames(3 * chunkBytesMax); // Begins a segment.
    await writer.trim({ bytesMax: 1, committedBefore: undefined, heldFrom: undefined });
    await writer.committed();
    assert.equal((await readLogState(directory))?.endLsn, 100n);
    await writer.flush();
    assert.equal((await readLogState(directory))?.endLsn, 208n);
  });

  it('writes nothing behind a write that failed', async () => {
    await append(500, 200n);
    await writer.flush();
    const { blocks } = writer.store;
    const { put } = blocks;
    blocks.put = () => {
      blocks.put = put;
      return Promise.reject(new Error('No space left on device'));
    };
    await append(500, 300n);
    const failing = writer.flush();
    await append(500, 400n);
    await assert.rejects(failing, { code: '53100' });
    await append(500, 500n);
    await assert.rejects(writer.flush(), { code: '53100' });
    await assert.rejects(writer.sync(), { code: '53100' });
    assert.equal((await readLogState(directory))?.endLsn, 208n);
  });

  it('keeps samples of the WAL as long as they are true and can be read from', async () => {
    const reader = new LocalLogReader({ directory, database: 'd' });
    const [early, late] = [
      { lsn: 150n, nextXid: 10n },
      { lsn: 350n, nextXid: 20n },
    ];
    writer.noteSamples([early, late]);
    await append(500, 200n);
    await append(500, 300n);
    await writer.sync();
    assert.deepEqual(await reader.walSample(9n), { epoch: 1, sample: undefined });
    assert.deepEqual(await reader.walSample(19n), { epoch: 1, sample: early });
    await writer.trim({ bytesMax: 1, committedBefore: undefined, heldFrom: undefined });
    assert.deepEqual(await reader.walSample(19n), { epoch: 1, sample: undefined });
    assert.deepEqual(await reader.walSample(20n), { epoch: 1, sample: late });
    writer.goOn({ term: 2, timeline: 2, beat: 0 });
    assert.deepEqual(writer.storedSamples(), []);
    writer.goOn({ term: 3, timeline: 1, beat: 0 });
    assert.deepEqual(writer.storedSamples(), [late]);
    writer.beginEpoch({ epoch: 2, startLsn: 400n, timeline: 1, term: 4 });
    await writer.sync();
    assert.deepEqual(await reader.walSample(20n), { epoch: 2, sample: undefined });
    await reader.close();
  });

  it('gives the number of a table version once, even when it ends before it is used', async () => {
    const old = writer.tableVersion(shape('a'));
    await writer.committed();
    await writer.close();
    writer = await LogWriter.open(directory, first);
    assert.notEqual(writer.tableVersion(shape('b')), old);
    assert.equal(writer.tableVersion(shape('a')), old);
  });

  it('removes the segments of transactions that had not committed, and their numbers are free', async () => {
    frames(3 * chunkBytesMax);
    await writer.committed();
    assert.equal([...writer.store.open.getKeys({})].length, 1);
    await writer.close();
    writer = await LogWriter.open(directory, first);
    await writer.committed();
    assert.equal([...writer.store.open.getKeys({})].length, 0);
    assert.equal([...writer.store.segments.getKeys({})].length, 0);
    await append(3 * chunkBytesMax, 200n);
    await writer.flush();
    await writer.committed();
    assert.equal([...writer.store.open.getKeys({})].length, 0);
  });

  it('puts chunks together, no more than may wait in memory', async () => {
    const open = frames((chunksPutMax + 2) * chunkBytesMax);
    await writer.committed();
    const count = (): number => [...writer.store.segments.getKeys({})].length;
    assert.equal(count(), chunksPutMax);
    open.putSpilled();
    await writer.committed();
    assert.ok(count() > chunksPutMax);
  });

  it('is of an earlier owner until a restart is complete', async () => {
    await append(500, 200n);
    await writer.flush();
    await writer.restart(1_000n, { term: 7, timeline: 2 });
    const state = await readLogState(directory);
    assert.deepEqual(
      [state?.term, state?.timeline, state?.endLsn, state?.trimmed?.lsn, state?.bytes],
      [7, 2, 1_000n, 999n, 0],
    );
  });
});
