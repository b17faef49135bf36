import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logDamaged } from '../core/errors/change-log.ts';
import { openingsMax } from './limits.ts';
import { dataFile } from './log-store.ts';

/**
 * A file that is cut off behind what LMDB looks for first ends the process that looks at it, by
 * SIGBUS, and so would each one that is started after it. So it is written down that a log is being
 * opened: when that was the end of several processes in a row it is damaged.
 */
export async function surviving<T>(directory: string, open: () => Promise<T>): Promise<T> {
  if (!existsSync(join(directory, dataFile))) return open();
  const count = openings(directory) + 1;
  mark(directory, Math.min(count, openingsMax + 1));
  refuseFatal(directory);
  try {
    return await open();
  } finally {
    rmSync(markerOf(directory), { force: true });
  }
}

/** For those too who only read. @throws PgError XX001 for a log that has ended whoever opened it */
export function refuseFatal(directory: string): void {
  if (openings(directory) <= openingsMax) return;
  throw logDamaged(`Opening it has ended ${openingsMax} processes in a row.`);
}

function openings(directory: string): number {
  try {
    return Number(readFileSync(markerOf(directory), 'utf8')) || 0;
  } catch {
    return 0;
  }
}

function mark(directory: string, count: number): void {
  try {
    writeFileSync(markerOf(directory), String(count));
  } catch {
    // No space: then the log is not written either, and that is what is told.
  }
}

function markerOf(directory: string): string {
  return join(directory, 'opening');
}
