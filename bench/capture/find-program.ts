import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian's packages of Postgres keep what is not in the PATH. */
const versionsDirectory = '/usr/lib/postgresql';

/** A program of Postgres: of the newest version that is installed, else what the PATH has. */
export function findProgram(name: string): string | undefined {
  const versions = existsSync(versionsDirectory) ? readdirSync(versionsDirectory) : [];
  const installed = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versionsDirectory, version, 'bin', name));
  const inPath = (process.env['PATH'] ?? '').split(delimiter).map((path) => join(path, name));
  return [...installed, ...inPath].find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
