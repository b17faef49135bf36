import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalLogReader } from './local-log-reader.ts';
import { LogWriter } from './log-writer.ts';

const first = {
  source: { systemId: '1', databaseOid: 5, database: 'd' },
  timeline: 1,
  term: 1,
  epoch: 1,
  startLsn: 100n,
};

/** Both in processes of their own: what goes wrong here ends a process, or keeps it from opening. */
const writing = `const { LogWriter } = await import(process.argv[1]);
  for (const directory of process.argv.slice(2)) {
    const writer = await LogWriter.open(directory, JSON.parse(process.env.FIRST, (key, value) =>
      key === 'startLsn' ? BigInt(value) : value));
    writer.goOn({ term: 1, timeline: 1, beat: 0 });
    await writer.sync();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await writer.close();
  }`;
const reading = `const { LocalLogReader } = await import(process.argv[1]);
  const directories = process.argv.slice(2);
  for (const directory of directories) {
    for (let isThere = false; !isThere; ) {
      const reader = new LocalLogReader({ directory, database: 'd' });
      isThere = await reader.bounds().then(() => true, ({ code }) => {
        if (code !== '55000') throw new Error(code);
        return false;
      });
      await reader.close();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }`;

describe('opening a change log', function () {
  this.timeout(60_000);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'heliosdb-log-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  async function run(script: string, ...args: string[]): Promise<void> {
    const FIRST = JSON.stringify({ ...first, startLsn: String(first.startLsn) });
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script, ...args], {
      env: { ...process.env, FIRST },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    assert.deepEqual([code, signal], [0, null], said);
  }

  const module = (name: string): string => new URL(`./${name}.js`, import.meta.url).href;

  it('waits for one that is just being made', async () => {
    const logs = Array.from({ length: 60 }, (_, n) => join(directory, `log-${n}`));
    await Promise.all([
      run(writing, module('log-writer'), ...logs),
      run(reading, module('local-log-reader'), ...logs),
    ]);
  });

  it('goes well while another process closes it as the last one', async () => {
    const log = join(directory, 'log');
    const again = Array.from({ length: 150 }, () => log);
    await Promise.all([
      run(writing, module('log-writer'), ...again),
      run(reading, module('local-log-reader'), ...again),
      run(reading, module('local-log-reader'), ...again),
    ]);
  });

  it('is not kept from it by somebody who was killed in between', async () => {
    const log = join(directory, 'log');
    mkdirSync(join(log, 'gate'), { recursive: true });
    const writer = await LogWriter.open(log, first);
    await writer.close();
  });

  it('is done again when another log has taken its place', async () => {
    const log = join(directory, 'log');
    const make = async (startLsn: bigint): Promise<void> => {
      const writer = await LogWriter.open(log, { ...first, startLsn });
      writer.goOn({ term: 1, timeline: 1, beat: 0 });
      await writer.sync();
      await writer.close();
    };
    const reader = new LocalLogReader({ directory: log, database: 'd' });
    await make(100n);
    assert.equal((await reader.bounds()).endLsn, 100n);
    renameSync(log, join(directory, 'away'));
    await assert.rejects(reader.bounds(), { code: '55000' });
    await make(200n);
    assert.equal((await reader.bounds()).endLsn, 200n);
    await reader.close();
  });
});
