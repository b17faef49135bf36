import assert from 'node:assert/strict';
import { judgeContinuity } from './continuity.ts';

type Facts = Parameters<typeof judgeContinuity>[0];

const usual: Facts = {
  epoch: 1,
  term: 6,
  servedTerm: 5,
  beat: 40,
  notedGap: undefined,
  slotName: 'heliosdb_5',
  catalogTimeline: 1,
  log: { epoch: 1, timeline: 1, endLsn: 1_000n, term: 5, beat: 40 },
  slot: { confirmedLsn: 900n, lostBecause: undefined },
  unusablePublications: [],
  server: { timeline: 1, walLsn: 2_000n, history: [] },
};

function judge(facts: Partial<Facts>): ReturnType<typeof judgeContinuity> {
  return judgeContinuity({ ...usual, ...facts });
}

describe('continuity of a capture', () => {
  it('goes on where the log ends when the slot has not forgotten more', () => {
    assert.deepEqual(judge({}), { kind: 'continue' });
  });

  it('begins when there is no slot yet', () => {
    assert.deepEqual(judge({ slotName: undefined, slot: undefined }), { kind: 'begin' });
  });

  it('is a gap when somebody has advanced the slot, however often it is looked at', () => {
    const slot = { confirmedLsn: 1_500n, lostBecause: undefined };
    for (const term of [6, 7, 20]) {
      const judged = judge({ slot, term });
      assert.equal(judged.kind, 'gap');
      assert.deepEqual(judged.kind === 'gap' && [judged.from, judged.to], [1_000n, 1_500n]);
    }
  });

  it('begins its log anew where another node has served the slot', () => {
    const slot = { confirmedLsn: 1_500n, lostBecause: undefined };
    const again = { kind: 'restart-log', startLsn: 1_500n };
    assert.deepEqual(judge({ slot, term: 8, servedTerm: 7 }), again);
    assert.deepEqual(judge({ slot, log: undefined }), again);
    const older = { epoch: 1, timeline: 1, endLsn: 1_000n, term: 5, beat: 40 };
    assert.deepEqual(judge({ slot, epoch: 2, log: older, servedTerm: 0 }), again);
  });

  it('is a gap when a publication is gone, but for one that is about to be made', () => {
    const unusablePublications = ['heliosdb_inserts'];
    assert.equal(judge({ unusablePublications }).kind, 'gap');
    assert.equal(judge({ unusablePublications, slotName: undefined }).kind, 'begin');
  });

  it('is a gap when the slot is gone or lost', () => {
    assert.equal(judge({ slot: undefined }).kind, 'gap');
    assert.equal(judge({ slot: { confirmedLsn: 900n, lostBecause: 'wal' } }).kind, 'gap');
  });

  it('is a gap when the server is behind the log, or on another branch', () => {
    assert.equal(judge({ server: { timeline: 1, walLsn: 999n, history: [] } }).kind, 'gap');
    const history = [{ timeline: 1, endLsn: 950n }];
    assert.equal(judge({ server: { timeline: 2, walLsn: 5_000n, history } }).kind, 'gap');
    const later = [{ timeline: 1, endLsn: 1_000n }];
    const promoted = judge({ server: { timeline: 2, walLsn: 5_000n, history: later } });
    assert.deepEqual(promoted, { kind: 'continue' });
  });

  it('is a gap when the catalog is older than the log, even if its WAL has come further', () => {
    assert.equal(judge({ beat: 39 }).kind, 'gap');
    assert.equal(judge({ term: 5, servedTerm: 4 }).kind, 'gap');
    assert.equal(judge({ epoch: 0 }).kind, 'gap');
  });

  it('stays a gap until it is skipped, also when what told of it is gone', () => {
    const judged = judge({ notedGap: 'it was restored' });
    assert.equal(judged.kind === 'gap' && judged.reason, 'it was restored');
  });
});
