import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataDirectoryInUse, dataDirectoryUnusable } from '../core/errors/configuration.ts';
import { makeDirectory } from './make-directory.ts';
import { isAlive, startOf } from './process-table.ts';

/**
 * Makes this process the only node on a data directory until it ends, and returns how to give the
 * directory back. The lock of a process that was killed is taken over: a process is told by its
 * number and the time it started, because numbers come again.
 */
export function lockDataDirectory(directory: string): () => void {
  const file = join(directory, 'heliosdb.pid');
  const own = `${file}.${process.pid}`;
  try {
    makeDirectory(directory);
    writeFileSync(own, `${process.pid}\n${startOf(process.pid) ?? ''}\n`);
  } catch (error) {
    throw dataDirectoryUnusable(directory, error);
  }
  try {
    while (!tryLink(own, file)) {
      const holder = holderOf(file);
      if (holder !== undefined) throw dataDirectoryInUse(directory, holder);
      rmSync(file, { force: true });
    }
  } finally {
    unlinkSync(own);
  }
  return () => rmSync(file, { force: true });
}

/** Unlike writing, linking either makes the whole file or fails because it is there. */
function tryLink(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw dataDirectoryUnusable(file, error);
  }
}

function holderOf(file: string): number | undefined {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const [pidText = '', start = ''] = text.split('\n');
  const pid = Number.parseInt(pidText, 10);
  if (Number.isNaN(pid) || pid === process.pid || !isAlive(pid)) return undefined;
  return start === '' || startOf(pid) === start ? pid : undefined;
}
