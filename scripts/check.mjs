// What `npm run check` checks besides the tests. `node scripts/check.mjs imports` runs one of them,
// `--list` names them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const checkedFolders = ['src', 'sql-tests/runner', 'bench', 'scripts'];
const plantedRule = 'core-imports-nothing';
const plantedFile = 'scripts/planted/src/core/imports-upwards.ts';

/** Each returns what is wrong; nothing when all is well. */
const checks = {
  // Shares the record of the build before it, so that what did not change is not looked at again.
  types: () => complaintsOf('typescript/bin/tsc', ['-p', '.', '--noEmit']),
  style: () => complaintsOf('@biomejs/biome/bin/biome', ['check', '--diagnostic-level=warn', '.']),
  imports: () => cruise().complaints,
  'planted import': () => {
    const { planted } = cruise();
    return planted ? '' : `${plantedFile} breaks the rule ${plantedRule}, which was not noticed`;
  },
  'dead code': () => complaintsOf('knip/bin/knip.js', ['--no-progress']),
  tidiness: () =>
    complaintsOf('mocha/bin/mocha.js', ['--reporter', 'dot', 'dist/scripts/tidy.test.js']),
};

const [wanted] = process.argv.slice(2);
if (wanted === '--list') {
  for (const name of Object.keys(checks)) console.log(name);
} else {
  let failures = 0;
  for (const [name, check] of Object.entries(checks)) {
    if (wanted !== undefined && wanted !== name) continue;
    const complaints = check();
    if (complaints === '') {
      console.log(`ok      ${name}`);
      continue;
    }
    failures += 1;
    console.log(`failed  ${name}\n${complaints}\n`);
  }
  process.exit(failures === 0 ? 0 : 1);
}

function complaintsOf(script, args) {
  const { status, output } = runNode(script, args);
  return status === 0 ? '' : output.trim() || `${script} exited with ${status}`;
}

/** The import rules over everything, with the planted violation told apart from the others. */
function cruise() {
  const folders = checkedFolders.filter((folder) => existsSync(join(root, folder)));
  const { stdout } = runNode('dependency-cruiser/bin/dependency-cruise.mjs', [
    ...folders,
    ...['--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
  ]);
  let report;
  try {
    report = JSON.parse(stdout);
  } catch {
    return { complaints: `dependency-cruiser printed no report:\n${stdout}`, planted: false };
  }
  const lines = report.summary.violations.map(
    ({ rule, from, to }) => `${from} imports ${to}, against ${rule.name}`,
  );
  const planted = lines.filter(
    (line) => line.startsWith(plantedFile) && line.endsWith(plantedRule),
  );
  const others = lines.filter((line) => !planted.includes(line));
  // A cruiser that cannot read TypeScript reports success over no modules at all.
  const read = new Set(report.modules.map(({ source }) => source));
  for (const file of sourceFiles(folders)) {
    if (!read.has(file)) others.push(`${file} was not read`);
  }
  return { complaints: others.join('\n'), planted: planted.length > 0 };
}

function sourceFiles(folders) {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((file) => `${folder}/${file}`)
      .filter((file) => file.endsWith('.ts')),
  );
}

function runNode(script, args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', script), ...args],
    { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  return { status, stdout, output: `${stdout}${stderr}` };
}
