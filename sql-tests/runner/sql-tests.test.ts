import { findTestFiles } from './discover.ts';
import type { FileResult } from './run-file.ts';
import { runPath } from './run-path.ts';
import { chooseSeed, runInParallel, shuffle } from './schedule.ts';
import { startServers } from './servers.ts';

const paths = findTestFiles();
const seed = chooseSeed();

describe(`sql-tests (HELIOSDB_TEST_SEED=${seed})`, () => {
  let results: Map<string, Promise<FileResult>> = new Map();
  let stop: (() => Promise<void>) | undefined;

  before(async function () {
    this.timeout(120_000);
    const started = await startServers();
    stop = started.stop;
    results = runInParallel(shuffle(paths, seed), (path) => runPath(path, started.servers, false));
    // A failure is reported by the test of its file, however much earlier it happens.
    for (const result of results.values()) result.catch(() => undefined);
  });

  after(async () => {
    await stop?.();
  });

  for (const path of paths) {
    it(path, async function () {
      this.timeout(300_000);
      const result = await results.get(path);
      if (result?.skipped !== undefined) {
        if (this.test !== undefined) this.test.title += ` (${result.skipped})`;
        this.skip();
      }
      const [first, ...more] = result?.failures ?? [];
      if (first === undefined) return;
      first.message = [first, ...more].map(({ message }) => message).join('\n');
      first.stack = first.message;
      throw first;
    });
  }
});
