import assert from 'node:assert/strict';
import { judgeContinuity } from './continuity.ts';

type Facts = Parameters<typeof judgeContinuity>[0];

/** A capture that was interrupted and can go on. */
const healthy: Facts = {
  epoch: 3,
  term: 7,
  slotName: 'heliosdb_5',
  catalogTimeline: 1,
  log: { epoch: 3, timeline: 1, endLsn: 0x500n, term: 6 },
  slot: { confirmedLsn: 0x400n, lostBecause: undefined },
  server: { timeline: 1, walLsn: 0x900n, history: [] },
};

function judge(changed: Partial<Facts>): ReturnType<typeof judgeContinuity> {
  return judgeContinuity({ ...healthy, ...changed });
}

describe('the continuity of a capture', () => {
  it('holds when the slot still has what follows the log', () => {
    assert.deepEqual(judge({}), { kind: 'continue' });
    const confirmed = { confirmedLsn: 0x500n, lostBecause: undefined };
    assert.deepEqual(judge({ slot: confirmed }), { kind: 'continue' });
  });

  it('begins where there never was a slot', () => {
    assert.deepEqual(judge({ slotName: undefined, slot: undefined }), { kind: 'begin' });
  });

  it('ends with the slot', () => {
    const judged = judge({ slot: undefined });
    assert.deepEqual(judged, {
      kind: 'gap',
      from: 0x500n,
      to: undefined,
      reason: 'Replication slot "heliosdb_5" is gone.',
      dropsSlot: false,
    });
  });

  it('ends with an invalidated slot, which has to be dropped', () => {
    const judged = judge({ slot: { confirmedLsn: 0x400n, lostBecause: 'its WAL was removed' } });
    assert.equal(judged.kind === 'gap' && judged.dropsSlot, true);
    assert.match(judged.kind === 'gap' ? judged.reason : '', /invalidated: its WAL was removed/);
  });

  it('ends where somebody else has advanced the slot beyond the log', () => {
    const judged = judge({ slot: { confirmedLsn: 0x501n, lostBecause: undefined } });
    assert.deepEqual(judged.kind === 'gap' && [judged.from, judged.to, judged.dropsSlot], [
      0x500n,
      0x501n,
      false,
    ]);
  });

  it('holds on another node when an owner in between has advanced it', () => {
    const slot = { confirmedLsn: 0x501n, lostBecause: undefined };
    const log = { epoch: 3, timeline: 1, endLsn: 0x500n, term: 5 };
    assert.deepEqual(judge({ slot, log }), { kind: 'restart-log', startLsn: 0x501n });
  });

  it('holds without a log: the slot has held what is needed', () => {
    assert.deepEqual(judge({ log: undefined }), { kind: 'restart-log', startLsn: 0x400n });
  });

  it('holds for a log of an earlier epoch, which another node has ended', () => {
    const log = { epoch: 2, timeline: 1, endLsn: 0x450n, term: 4 };
    assert.deepEqual(judge({ log }), { kind: 'restart-log', startLsn: 0x400n });
  });

  it('ends when the server has less than was captured: it was restored', () => {
    const judged = judge({ server: { timeline: 1, walLsn: 0x480n, history: [] } });
    assert.deepEqual(judged.kind === 'gap' && [judged.from, judged.dropsSlot], [0x480n, true]);
    assert.match(judged.kind === 'gap' ? judged.reason : '', /restored or failed over/);
  });

  it('holds over a promotion that lost nothing', () => {
    const history = [{ timeline: 1, endLsn: 0x500n }];
    assert.deepEqual(judge({ server: { timeline: 2, walLsn: 0x900n, history } }), {
      kind: 'continue',
    });
  });

  it('ends at a promotion that lost what was captured', () => {
    const history = [{ timeline: 1, endLsn: 0x4ffn }];
    const judged = judge({ server: { timeline: 2, walLsn: 0x900n, history } });
    assert.deepEqual(judged.kind === 'gap' && [judged.from, judged.dropsSlot], [0x4ffn, true]);
  });

  it('looks at each timeline in between', () => {
    const history = [
      { timeline: 1, endLsn: 0x600n },
      { timeline: 2, endLsn: 0x4aan },
    ];
    const judged = judge({ server: { timeline: 3, walLsn: 0x900n, history } });
    assert.equal(judged.kind === 'gap' && judged.from, 0x4aan);
  });

  it('ends on a server whose history does not know the timeline that was captured', () => {
    const log = { epoch: 3, timeline: 4, endLsn: 0x500n, term: 6 };
    assert.equal(judge({ log, server: { timeline: 2, walLsn: 0x900n, history: [] } }).kind, 'gap');
  });

  it('takes the timeline of the catalog where there is no log', () => {
    const history = [{ timeline: 1, endLsn: 0x3ffn }];
    const server = { timeline: 2, walLsn: 0x900n, history };
    assert.equal(judge({ log: undefined, server }).kind, 'gap');
  });
});
