// Runs the compiled tests. `npm test -- src/app` runs those whose path has that in it, options go
// to mocha: `npm test -- src/app --grep restart`.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Each job has a Postgres of its own, so more of them compete instead of helping. */
const jobs = Math.min(2, availableParallelism());

const all = readdirSync(join(root, 'dist'), { recursive: true })
  .map((file) => `dist/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.test.js'))
  .sort((a, b) => weight(b) - weight(a) || a.localeCompare(b));

const args = process.argv.slice(2);
const optionsFrom = args.findIndex((arg) => arg.startsWith('-'));
const filters = (optionsFrom < 0 ? args : args.slice(0, optionsFrom)).map((filter) =>
  filter.replace(/^\.\//, '').replace(/\.ts$/, '.js'),
);
const options = optionsFrom < 0 ? [] : args.slice(optionsFrom);
const chosen =
  filters.length === 0 ? all : all.filter((file) => filters.some((part) => file.includes(part)));
if (chosen.length === 0) {
  process.stderr.write(`no test file has ${filters.join(' or ')} in its path\n`);
  process.exit(1);
}

const { status } = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    join(root, 'node_modules', 'mocha', 'bin', 'mocha.js'),
    ...['--reporter', join(root, 'scripts', 'counts-reporter.cjs')],
    ...(chosen.length > 1 && jobs > 1 ? ['--parallel', '--jobs', String(jobs)] : []),
    ...(process.env.CI ? ['--forbid-only'] : []),
    ...options,
    ...chosen,
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);

/** What takes long begins first, so that no job is left alone with it at the end. */
function weight(file) {
  if (file.startsWith('dist/sql-tests/')) return 3;
  if (file.startsWith('dist/scripts/')) return 2;
  return file.endsWith('.pg.test.js') ? 1 : 0;
}
