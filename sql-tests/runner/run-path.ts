import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTestFile, repositoryRoot } from './discover.ts';
import { TestFailure } from './format/test-failure.ts';
import { type FileResult, runFile, type Servers } from './run-file.ts';

/** Reads and runs the file at a path, and rewrites it when updating. It does not throw. */
export async function runPath(
  path: string,
  servers: Servers,
  isUpdating: boolean,
): Promise<FileResult> {
  try {
    const result = await runFile(loadTestFile(path), servers, { isUpdating });
    if (result.updated !== undefined) writeFileSync(join(repositoryRoot(), path), result.updated);
    return result;
  } catch (error) {
    if (error instanceof TestFailure) return { failures: [error] };
    return { failures: [new TestFailure(path, 1, String(error))] };
  }
}
