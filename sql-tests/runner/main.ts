import { isChosen, parseCommandLine, usage } from './command-line.ts';
import { findTestFiles } from './discover.ts';
import type { FileResult } from './run-file.ts';
import { runPath } from './run-path.ts';
import { chooseSeed, runInParallel, shuffle } from './schedule.ts';
import { startServers } from './servers.ts';
import { runTour, tourPath } from './tour.ts';

const usageExitCode = 2;

/** `npm run sql-tests -- [--update] [PATH...]` */
async function main(): Promise<void> {
  const invocation = parseCommandLine(process.argv.slice(2));
  if (invocation.kind === 'help') {
    process.stdout.write(usage);
    return;
  }
  if (invocation.kind === 'mistake') {
    process.stderr.write(`${invocation.message}\n\n${usage}`);
    process.exitCode = usageExitCode;
    return;
  }
  const { filters, isUpdating } = invocation;
  const paths = findTestFiles(filters);
  const withTour = isChosen(tourPath, filters);
  if (paths.length === 0 && !withTour) {
    process.stderr.write(`no file has ${filters.join(' or ')} in its path\n`);
    process.exitCode = 1;
    return;
  }
  const seed = chooseSeed();
  process.stdout.write(`${paths.length} files, seed ${seed}\n`);
  const { servers, stop } = await startServers();
  const count = { passed: 0, failed: 0, skipped: 0 };
  const results = runInParallel(shuffle(paths, seed), (path) => runPath(path, servers, isUpdating));
  for (const path of paths) {
    const result = await results.get(path);
    if (result !== undefined) count[report(path, result)] += 1;
  }
  if (withTour) {
    count[report(tourPath, await runTour(servers, { isUpdating }))] += 1;
  }
  await stop();
  const skipped = count.skipped === 0 ? '' : `, ${count.skipped} skipped`;
  process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

function report(path: string, result: FileResult): 'passed' | 'failed' | 'skipped' {
  if (result.skipped !== undefined) {
    process.stdout.write(`${path}: skipped, ${result.skipped}\n`);
    return 'skipped';
  }
  if (result.updated !== undefined) process.stdout.write(`${path}: updated\n`);
  for (const { message } of result.failures) process.stdout.write(`${message}\n`);
  return result.failures.length === 0 ? 'passed' : 'failed';
}

await main();
