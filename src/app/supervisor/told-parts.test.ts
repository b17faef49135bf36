import assert from 'node:assert/strict';
import { knownCaptures, partOf } from './told-parts.ts';

describe('what the supervisor tells of a node', () => {
  it('is that a role serves while one of its processes does, and which are silent', () => {
    const part = partOf('proxy', [
      { state: 'silent', restarts: 1, pid: 11 },
      { state: 'up', restarts: 2, pid: 12 },
      { state: 'restarting', restarts: 1, pid: undefined },
    ]);
    assert.deepEqual(part, {
      name: 'proxy',
      state: 'up',
      restarts: 4,
      pids: [11, 12],
      silentPids: [11],
    });
  });

  it('claims nothing of captures when the engine is silent or has ended', () => {
    const captures = [{ database: 'shop', state: 'streaming', error: undefined }] as const;
    assert.deepEqual(knownCaptures(captures, 'up'), captures);
    for (const state of ['silent', 'restarting', undefined] as const) {
      assert.deepEqual(knownCaptures(captures, state), [
        { database: 'shop', state: 'unknown', error: undefined },
      ]);
    }
  });
});
