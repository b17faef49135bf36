import assert from 'node:assert/strict';
import { printMicros } from './entry-fields.ts';
import {
  compareStreamIds,
  firstStreamId,
  lastStreamId,
  nextStreamId,
  parseStreamId,
  previousStreamId,
  printStreamId,
} from './stream-id.ts';

const max = '18446744073709551615';

describe('stream ids', () => {
  it('are read with and without the second part', () => {
    assert.deepEqual(parseStreamId('7-3', 'first'), { lsn: 7n, seq: 3n });
    assert.deepEqual(parseStreamId('7', 'first'), { lsn: 7n, seq: 0n });
    assert.deepEqual(parseStreamId('7', 'last'), { lsn: 7n, seq: BigInt(max) });
    assert.deepEqual(parseStreamId(`${max}-${max}`, 'first'), lastStreamId);
  });

  it('that are none are refused', () => {
    for (const text of ['', '-', '1-', '-1', '1-2-3', '0x1', ' 1', '1.5', '18446744073709551616']) {
      assert.equal(parseStreamId(text, 'first'), undefined, text);
    }
  });

  it('have neighbours, but for the first and the last', () => {
    assert.equal(printStreamId(nextStreamId({ lsn: 7n, seq: 3n })!), '7-4');
    assert.equal(printStreamId(nextStreamId({ lsn: 7n, seq: BigInt(max) })!), '8-0');
    assert.equal(printStreamId(previousStreamId({ lsn: 8n, seq: 0n })!), `7-${max}`);
    assert.equal(nextStreamId(lastStreamId), undefined);
    assert.equal(previousStreamId(firstStreamId), undefined);
  });

  it('are ordered', () => {
    assert.ok(compareStreamIds({ lsn: 1n, seq: 9n }, { lsn: 2n, seq: 0n }) < 0);
    assert.ok(compareStreamIds({ lsn: 2n, seq: 1n }, { lsn: 2n, seq: 0n }) > 0);
    assert.equal(compareStreamIds(firstStreamId, { lsn: 0n, seq: 0n }), 0);
  });
});

describe('commit times', () => {
  it('have microseconds, before 1970 too', () => {
    assert.equal(printMicros(0n), '1970-01-01T00:00:00.000000Z');
    assert.equal(printMicros(1_767_323_045_000_006n), '2026-01-02T03:04:05.000006Z');
    assert.equal(printMicros(-1n), '1969-12-31T23:59:59.999999Z');
  });
});
