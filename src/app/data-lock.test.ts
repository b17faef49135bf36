import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataDirectory } from './data-lock.ts';
import { startOf } from './process-table.ts';

describe('the lock of a data directory', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'heliosdb-test-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('is given back', () => {
    lockDataDirectory(join(directory, 'new'))();
    assert.deepEqual(readdirSync(join(directory, 'new')), []);
  });

  it('is refused where no directory can be made', () => {
    for (const path of ['/proc/heliosdb', join(directory, 'file', 'below')]) {
      writeFileSync(join(directory, 'file'), '');
      assert.throws(() => lockDataDirectory(path), { code: '58000' });
    }
  });

  it('is kept from others while its process runs', () => {
    hold(process.ppid, startOf(process.ppid));
    assert.throws(
      () => lockDataDirectory(directory),
      new RegExp(`is in use by process ${process.ppid}$`),
    );
  });

  it('is taken over from a process that has ended', () => {
    const { pid } = spawnSync('true');
    hold(pid, '1');
    lockDataDirectory(directory)();
  });

  it('is taken over when another process has the number now', () => {
    hold(process.ppid, 'long ago');
    lockDataDirectory(directory)();
  });

  function hold(pid: number, start: string | undefined): void {
    writeFileSync(join(directory, 'heliosdb.pid'), `${pid}\n${start}\n`);
  }
});
