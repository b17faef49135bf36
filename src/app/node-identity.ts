import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataDirectoryUnusable } from '../core/errors/configuration.ts';
import { makeDirectory } from './make-directory.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Undefined for a directory that belongs to no node yet. */
export function knownNodeId(dataDirectory: string): string | undefined {
  const known = readIfThere(join(dataDirectory, 'node-id'))?.trim();
  return known !== undefined && uuid.test(known) ? known : undefined;
}

/** Who a node is belongs to its data directory, so that a restart is no other node. */
export function nodeIdOf(dataDirectory: string): string {
  const file = join(dataDirectory, 'node-id');
  try {
    makeDirectory(dataDirectory);
    const known = knownNodeId(dataDirectory);
    if (known !== undefined) return known;
    const id = randomUUID();
    writeFileSync(file, `${id}\n`);
    return id;
  } catch (error) {
    throw dataDirectoryUnusable(dataDirectory, error);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
