import assert from 'node:assert/strict';
import { type ConfirmOptions, confirmableLsn, type HoldingReader } from './confirm-policy.ts';

const options: ConfirmOptions = {
  confirm: 'delivered',
  maxSlotLagBytes: 1_000n,
  holdForMs: 600_000,
};

const reader: HoldingReader = {
  isEnabled: true,
  state: 'running',
  epoch: 1,
  lsn: 9_500n,
  seq: 0,
  failingForMs: undefined,
};

function confirmable(
  readers: readonly Partial<HoldingReader>[],
  changed: Partial<ConfirmOptions> = {},
): bigint {
  return confirmableLsn({
    durableLsn: 10_000n,
    epoch: 1,
    last: { lsn: 9_900n, seq: 4 },
    readers: readers.map((each) => ({ ...reader, ...each })),
    options: { ...options, ...changed },
  });
}

describe('what the slot may forget', () => {
  it('is what is durable while nobody reads', () => {
    assert.equal(confirmable([]), 10_000n);
  });

  it('is what every reader has passed', () => {
    assert.equal(confirmable([{}, { lsn: 9_700n }]), 9_500n);
  });

  it('does not wait for a reader that has all there is, however long ago that was', () => {
    assert.equal(confirmable([{ lsn: 9_900n, seq: 4 }]), 10_000n);
    assert.equal(confirmable([{ lsn: 9_900n, seq: 3 }]), 9_900n);
  });

  it('never lags more than the allowed bytes', () => {
    assert.equal(confirmable([{ lsn: 100n }]), 9_000n);
    assert.equal(confirmable([{ lsn: 100n }], { maxSlotLagBytes: 20_000n }), 100n);
  });

  for (const [what, changed] of [
    ['is disabled', { isEnabled: false }],
    ['is at a gap', { state: 'gap' }],
    ['reads an epoch that has ended', { epoch: 0 }],
    ['has been failing for too long', { failingForMs: 600_001 }],
  ] as const) {
    it(`does not wait for a reader that ${what}`, () => {
      assert.equal(confirmable([changed]), 10_000n);
    });
  }

  it('waits for a reader that has been failing for a while', () => {
    assert.equal(confirmable([{ failingForMs: 599_999 }]), 9_500n);
  });

  it('waits for the disk alone when told so', () => {
    assert.equal(confirmable([{}], { confirm: 'logged' }), 10_000n);
  });
});
