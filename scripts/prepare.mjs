// Brings node_modules and dist up to date, with nothing but Node: it runs before anything is
// installed. Says nothing when there is nothing to do. `--force` builds in any case.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldestNode = [20, 19];
const [nodeMajor, nodeMinor] = process.versions.node.split('.').map(Number);
if (nodeMajor < oldestNode[0] || (nodeMajor === oldestNode[0] && nodeMinor < oldestNode[1])) {
  const version = process.versions.node;
  process.stderr.write(`Node ${oldestNode.join('.')} or later is needed, this is ${version}\n`);
  process.exit(1);
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sourceFolders = ['src', 'sql-tests/runner', 'bench', 'scripts'];
const installStamp = join(root, 'node_modules', '.heliosdb-lock');
const buildStamp = join(root, 'dist', '.heliosdb-build');
const grammarStamp = join(root, 'dist', '.heliosdb-grammar');

const lockFile = join(root, 'package-lock.json');
const lockHash = hash(readFileSync(lockFile));

if (readIfThere(installStamp) !== lockHash) {
  if (!isInstalled()) {
    say('installing packages');
    // Development packages hold the compiler; NODE_ENV=production would leave them out.
    npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  try {
    writeFileSync(installStamp, lockHash);
  } catch {
    // Installed by somebody else, who alone may write there: it is compared each time.
  }
}

const force = process.argv.includes('--force');
const grammars = filesBelow('grammar', '.peggy');
const grammarFiles = [...grammars, 'scripts/grammars.mjs', 'node_modules/peggy/package.json'];
const grammarPrint = hash(grammarFiles.map((file) => `${file} ${content(file)}`).join());
if (force || readIfThere(grammarStamp) !== grammarPrint || !grammars.every(isCompiled)) {
  say('compiling grammars');
  const { buildGrammars } = await import('./grammars.mjs');
  const wrong = buildGrammars(root);
  if (wrong !== undefined) {
    say(wrong);
    process.exit(1);
  }
  writeFileSync(grammarStamp, grammarPrint);
}

const sources = sourceFolders.flatMap((folder) => filesBelow(folder, '.ts'));
const copied = sourceFolders.flatMap((folder) => filesBelow(folder, '.sql'));
const fingerprint = hash(
  [
    lockHash,
    ...['tsconfig.json', ...sources, ...copied].map((file) => `${file} ${signature(file)}`),
  ].join(),
);
if (force || readIfThere(buildStamp) !== fingerprint) {
  say('building');
  // The compiler takes its own record for the truth, also when the files are gone. Only the record
  // is removed, so that what was built before goes on running when the sources do not compile.
  if (force || !existsSync(join(root, 'dist', 'src'))) {
    rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
  }
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root]);
  removeOrphans();
  for (const file of copied) cpSync(join(root, file), join(root, 'dist', file));
  writeFileSync(buildStamp, fingerprint);
}

/** Whether npm's own record of what is installed has every package of the lock file. */
function isInstalled() {
  const record = readIfThere(join(root, 'node_modules', '.package-lock.json'));
  if (record === undefined) return false;
  const installed = JSON.parse(record).packages;
  const wanted = Object.entries(JSON.parse(readFileSync(lockFile, 'utf8')).packages);
  return wanted.every(
    ([path, { version, optional }]) =>
      path === '' || installed[path]?.version === version || (optional && !installed[path]),
  );
}

/** What was compiled from a file that is gone, which would go on being run as a test. */
function removeOrphans() {
  for (const file of filesBelow('dist', '.js')) {
    if (file.startsWith('dist/grammar/')) continue;
    const source = file.slice('dist/'.length, -'.js'.length);
    if (existsSync(join(root, `${source}.ts`))) continue;
    for (const ending of ['.js', '.js.map', '.d.ts']) {
      rmSync(join(root, 'dist', source + ending), { force: true });
    }
  }
}

/** Whether a grammar has its parser; the shared rules have none. */
function isCompiled(file) {
  if (file === 'grammar/lexical.peggy') return true;
  return existsSync(join(root, 'dist', `${file.slice(0, -'.peggy'.length)}.js`));
}

function filesBelow(folder, ending) {
  const directory = join(root, folder);
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === 'planted' ? [] : filesBelow(path, ending);
      return entry.name.endsWith(ending) ? [path] : [];
    })
    .sort();
}

function signature(file) {
  const { size, mtimeMs } = statSync(join(root, file));
  return `${size} ${mtimeMs}`;
}

function content(file) {
  return readIfThere(join(root, file)) ?? '';
}

function hash(text) {
  return createHash('sha256').update(text).digest('hex');
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function npm(args) {
  // The npm that runs this script, not whichever comes first in PATH.
  const self = process.env.npm_execpath;
  if (self?.endsWith('.js')) run(process.execPath, [self, ...args]);
  else run('npm', args);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error) say(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
