import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isChosen } from './command-line.ts';
import { parseTestFile, type TestFile, testFileSuffix } from './format/test-file.ts';

/** The directory with the package's package.json, from wherever this was compiled to. */
export function repositoryRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

/** Paths of the test files that are chosen; of all without a filter. */
export function findTestFiles(filters: readonly string[] = []): string[] {
  const root = repositoryRoot();
  return readdirSync(join(root, 'sql-tests'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(testFileSuffix))
    .map((path) => `sql-tests/${path}`)
    .filter((path) => isChosen(path, filters))
    .sort();
}

/** Reads one file; a fault in its header is thrown as a `TestFailure`. */
export function loadTestFile(path: string): TestFile {
  const name = relative('sql-tests', path).slice(0, -testFileSuffix.length);
  return parseTestFile({ path, name, text: readFileSync(join(repositoryRoot(), path), 'utf8') });
}
