import assert from 'node:assert/strict';
import type { Change } from '../contracts/change.ts';
import { LocalLogReader } from './local-log-reader.ts';
import { TestLog } from './testing/written-log.ts';

describe('a change log of which a disk changed one bit', () => {
  let log: TestLog;

  beforeEach(async () => {
    log = new TestLog();
    await log.open();
    await log.commit([{ table: 1, text: 'small' }]);
    const large = Array.from({ length: 2_000 }, (_, n) => ({ table: 2, text: `${n}`.repeat(20) }));
    await log.commit(large);
    await log.writer.flush();
  });

  afterEach(() => log.close());

  async function read(): Promise<readonly Change[]> {
    const reader = new LocalLogReader({ directory: log.directory, database: 'shop' });
    const wanted = { tables: 'all', schemaChanges: true, changesMax: 10_000 } as const;
    try {
      return (await reader.read({ from: { kind: 'start' }, ...wanted })).changes;
    } finally {
      await reader.close();
    }
  }

  for (const name of ['meta', 'blocks', 'segments', 'versions'] as const) {
    it(`is an error, and neither less nor something else (${name})`, async () => {
      const whole = await read();
      assert.equal(whole.length, 2_001);
      const database = log.writer.store[name];
      for (const { key, value } of [...database.getRange({})]) {
        const kept = Buffer.from(value);
        for (let at = 0; at < kept.length; at += Math.ceil(kept.length / 7)) {
          const changed = Buffer.from(kept);
          changed[at]! ^= 1;
          await database.put(key, changed);
          await assert.rejects(read(), { code: 'XX001' }, `${key.toString('hex')} at ${at}`);
        }
        await database.put(key, kept);
      }
      assert.deepEqual(await read(), whole);
    });
  }
});
