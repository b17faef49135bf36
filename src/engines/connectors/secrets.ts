import { readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { StoredOption } from '../../catalog/connector-catalog.ts';
import { secretMissing, secretNotAllowed } from '../../core/errors/connectors.ts';

/** Variables that a statement may name. */
const allowedPrefix = 'HELIOSDB_SECRET_';

/**
 * Puts secrets in the place of where they are. Whoever may write a statement does not get to read
 * every variable and file of the node by it: only variables that are meant for that, and files in
 * one directory.
 *
 * @throws PgError 42501, 58030
 */
export async function resolveOptions(
  options: Readonly<Record<string, StoredOption>>,
  places: { readonly environment: NodeJS.ProcessEnv; readonly directory: string },
): Promise<Readonly<Record<string, string>>> {
  const resolved: [string, string][] = [];
  for (const [name, value] of Object.entries(options)) {
    resolved.push([name, typeof value === 'string' ? value : await readSecret(value, places)]);
  }
  return Object.fromEntries(resolved);
}

async function readSecret(
  value: Exclude<StoredOption, string>,
  places: { readonly environment: NodeJS.ProcessEnv; readonly directory: string },
): Promise<string> {
  if ('env' in value) return readVariable(value.env, places.environment);
  return readSecretFile(value.file, places.directory);
}

function readVariable(name: string, environment: NodeJS.ProcessEnv): string {
  if (!name.startsWith(allowedPrefix)) {
    throw secretNotAllowed(`variable ${name}`, `Those it may read begin with ${allowedPrefix}.`);
  }
  const value = environment[name];
  if (value === undefined) throw secretMissing(`variable ${name}`);
  return value;
}

async function readSecretFile(path: string, directory: string): Promise<string> {
  try {
    // A link in the directory may not lead out of it either.
    const [allowed, meant] = await Promise.all([
      realpath(directory),
      realpath(path.startsWith(sep) ? path : join(directory, path)),
    ]);
    if (meant.startsWith(allowed + sep)) return (await readFile(meant, 'utf8')).replace(/\n$/, '');
  } catch (error) {
    throw secretMissing(`file ${path}`, error);
  }
  throw secretNotAllowed(`file ${path}`, `Those it may read are in ${directory}.`);
}
