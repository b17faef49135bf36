import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '../contracts/change.ts';
import { openingsMax } from './limits.ts';
import { LocalLogReader } from './local-log-reader.ts';
import { readLogState } from './log-facts.ts';
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

  it('is an error also where it is the page itself', async () => {
    await log.writer.close();
    const file = join(log.directory, 'data.mdb');
    const bytes = readFileSync(file);
    // The pages behind the two that say where the others are.
    writeFileSync(file, Buffer.from(bytes).fill(7, 8_192));
    await assert.rejects(read(), { code: 'XX001' });
    await assert.rejects(readLogState(log.directory), { code: 'XX001' });
    await assert.rejects(log.open(), { code: 'XX001' });
    writeFileSync(file, bytes);
    await log.open();
    assert.equal((await read()).length, 2_001);
  });

  it('ends no more than so many processes that open it, where it is cut off', async () => {
    await log.writer.close();
    const file = join(log.directory, 'data.mdb');
    const bytes = readFileSync(file);
    truncateSync(file, 8_192);
    const facts = new URL('./log-facts.js', import.meta.url).href;
    const script = `const { readLogState } = await import(process.argv[1]);
      await readLogState(process.argv[2]).catch(({ code }) => process.stdout.write(code))`;
    const open = (): SpawnSyncReturns<string> => {
      const args = ['--input-type=module', '--eval', script, facts, log.directory];
      return spawnSync(process.execPath, args, { encoding: 'utf8' });
    };
    for (let count = 0; count < openingsMax; count += 1) assert.ok(open().signal);
    for (let count = 0; count < 2; count += 1) assert.equal(open().stdout, 'XX001');
    await assert.rejects(read(), { code: 'XX001' });
    writeFileSync(file, bytes);
    rmSync(join(log.directory, 'opening'));
    await log.open();
    assert.equal((await read()).length, 2_001);
  });
});
