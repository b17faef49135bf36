import assert from 'node:assert/strict';
import { snapshotChunksOfOneSizeMax } from '../core/limits.ts';
import type { SnapshotChunk, SnapshotState } from './snapshot-state.ts';
import { nextChunkRows, restoreSnapshotState, snapshotProgress } from './snapshot-state.ts';
import { stateOf } from './testing/state-of.ts';

describe('the state of a snapshot', () => {
  const chunks = (count: number): readonly SnapshotChunk[] =>
    Array.from({ length: count }, (_, n) => ({ upTo: [`${n}`], snapshot: '3:3:', reread: null }));

  it('has larger chunks when there are many', () => {
    const sizes = [0, 1, 2, 3].map((times) =>
      nextChunkRows(stateOf({ chunks: chunks(times * snapshotChunksOfOneSizeMax) })),
    );
    assert.deepEqual(sizes, [100, 200, 400, 800]);
  });

  it('tells how far it is', () => {
    const some = stateOf({ chunks: chunks(2), passedRows: 200, rows: 30 });
    const { estimatedRows, chunksRead, chunksPlanned } = snapshotProgress(some);
    assert.deepEqual([estimatedRows, chunksRead, chunksPlanned], [1000, 2, 10]);
    const more = snapshotProgress(stateOf({ chunks: chunks(20), passedRows: 2000 }));
    assert.equal(more.chunksPlanned, 21);
    const unknown = { ...some, table: { ...some.table, estimatedRows: null } };
    assert.equal(snapshotProgress(unknown).chunksPlanned, undefined);
    assert.equal(snapshotProgress(stateOf({ inChunks: false })).chunksPlanned, 1);
  });

  it('is taken from nothing else', () => {
    const state = stateOf({ chunks: chunks(1) });
    assert.deepEqual(restoreSnapshotState(JSON.parse(JSON.stringify(state))), state);
    const others: unknown[] = [null, 'x', {}, { ...state, version: 2 }, { version: 1 }];
    for (const other of others) {
      assert.throws(() => restoreSnapshotState(other as SnapshotState), { code: 'XX001' });
    }
  });
});
