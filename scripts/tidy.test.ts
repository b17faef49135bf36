/** Rules about the repository as a whole that no tool knows; docs of them in CONTRIBUTING.md. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTestFiles } from '../sql-tests/runner/discover.ts';
import { brokenLinks, forbiddenStem, longLines, wordComplaints } from './tidy-rules.ts';

const root = rootOf(dirname(fileURLToPath(import.meta.url)));
const files = listFiles();
const codeFiles = files.filter((file) => /\.(?:ts|mjs|cjs)$/.test(file));
const lineCountMax = 600;
const readmeLineCountMax = 30;

describe('the repository', () => {
  it('has lines of at most 100 characters in code', () => {
    none(codeFiles.flatMap((file) => longLines(read(file)).map((line) => `${file}:${line}`)));
  });

  it(`has files of at most ${lineCountMax} lines`, () => {
    none(codeFiles.filter((file) => read(file).split('\n').length > lineCountMax + 1));
  });

  it('names files by what is in them', () => {
    none(codeFiles.filter(forbiddenStem));
  });

  it('says nothing that must not be said', () => {
    const texts = files.filter((file) => !/\.(?:slt|csv|gz|png|wasm)$/.test(file));
    none(
      texts.flatMap((file) => wordComplaints(file, read(file)).map((what) => `${file}: ${what}`)),
    );
  });

  it('has a README of at most 30 lines for each folder of src', () => {
    const folders = readdirSync(join(root, 'src')).filter((name) => isFolder(`src/${name}`));
    none(
      folders
        .map((folder) => `src/${folder}/README.md`)
        .filter((file) => !files.includes(file) || lineCount(read(file)) > readmeLineCountMax),
    );
  });

  it('has an import rule for each folder of src', () => {
    const require = createRequire(import.meta.url);
    const rules = require(join(root, '.dependency-cruiser.cjs')) as {
      forbidden: { name: string }[];
    };
    const ruled = rules.forbidden.map(({ name }) => name.split('-imports-')[0]);
    const free = ['app', 'testing'];
    const folders = readdirSync(join(root, 'src')).filter((name) => isFolder(`src/${name}`));
    none(folders.filter((folder) => !ruled.includes(folder) && !free.includes(folder)));
  });

  it('has links in its documents that lead somewhere', () => {
    const documents = files.filter((file) => file.endsWith('.md'));
    const exists = (path: string): boolean => existsSync(join(root, path));
    none(
      documents.flatMap((file) =>
        brokenLinks(read(file), (link) => exists(normalize(join(dirname(file), link)))).map(
          (link) => `${file}: ${link}`,
        ),
      ),
    );
  });

  it('runs every file of sql-tests', () => {
    const run = new Set(findTestFiles());
    const written = files.filter(
      (file) => file.startsWith('sql-tests/') && !file.startsWith('sql-tests/runner/'),
    );
    none(written.filter((file) => !run.has(file) && !file.endsWith('README.md')));
  });
});

function none(complaints: readonly string[]): void {
  assert.equal(complaints.length, 0, `\n${complaints.join('\n')}`);
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function lineCount(text: string): number {
  return text.trimEnd().split('\n').length;
}

function isFolder(path: string): boolean {
  return statSync(join(root, path)).isDirectory() && readdirSync(join(root, path)).length > 0;
}

/** What is or would be committed. Without git, for instance in an archive, whatever is there. */
function listFiles(): string[] {
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  });
  const names =
    listed.status === 0
      ? listed.stdout.split('\0')
      : readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
          (file) => !/^(?:node_modules|dist|data|coverage|\.git)\//.test(file),
        );
  return names.filter((file) => file !== '' && isFile(join(root, file)));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function rootOf(directory: string): string {
  return existsSync(join(directory, 'package.json')) ? directory : rootOf(dirname(directory));
}
