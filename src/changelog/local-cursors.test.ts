import assert from 'node:assert/strict';
import { LocalCursors } from './local-cursors.ts';
import { TestLog } from './testing/written-log.ts';

describe('cursors of readers in the log', () => {
  it('are where they were left, also after a restart', async () => {
    const log = new TestLog();
    const writer = await log.open();
    const cursors = new LocalCursors(writer.store);
    assert.equal(cursors.read('orders'), undefined);
    await cursors.write('orders', { epoch: 2, lsn: 0x1_0000_0005n, seq: 7 });
    await cursors.write('others', { epoch: 1, lsn: 5n, seq: 0 });
    await cursors.remove('others');
    await writer.close();
    const again = new LocalCursors((await log.open(2)).store);
    assert.deepEqual(again.read('orders'), { epoch: 2, lsn: 0x1_0000_0005n, seq: 7 });
    assert.equal(again.read('others'), undefined);
    await log.close();
  });
});
