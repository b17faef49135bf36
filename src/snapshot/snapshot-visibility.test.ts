import assert from 'node:assert/strict';
import { SnapshotVisibility } from './snapshot-visibility.ts';

describe('the visibility of transactions', () => {
  const epoch = 3n << 32n;

  it('is that of the snapshot', () => {
    const seen = SnapshotVisibility.parse('100:110:100,104');
    const visible = [99n, 101n, 103n, 109n].filter((xid) => seen.isVisible(xid));
    assert.deepEqual(visible, [99n, 101n, 103n, 109n]);
    assert.ok([100n, 104n, 110n, 5_000_000_000n].every((xid) => !seen.isVisible(xid)));
  });

  it('has 64 bits', () => {
    const seen = SnapshotVisibility.parse(`${epoch + 5n}:${epoch + 9n}:${epoch + 7n}`);
    assert.ok(seen.isVisible(7n));
    assert.ok(seen.isVisible(epoch + 6n));
    assert.ok(!seen.isVisible(epoch + 7n));
    assert.ok(!seen.isVisible(epoch + epoch));
  });

  it('needs nothing in progress', () => {
    const seen = SnapshotVisibility.parse('7:7:');
    assert.ok(seen.isVisible(6n));
    assert.ok(!seen.isVisible(7n));
  });

  it('is read from nothing else', () => {
    for (const text of ['', '7', '7:8', '7:8:,', '7:8:9,', '-7:8:', '7:8:x', ' 7:8:']) {
      assert.throws(() => SnapshotVisibility.parse(text), { code: 'XX001' }, text);
    }
  });
});
