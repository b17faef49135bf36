import { readFileSync } from 'node:fs';

/**
 * Memory that only this process has, bytes; 0 where there is no /proc to ask. The pages of the file
 * an LMDB environment maps are not in it: they are the cache of the operating system, which takes
 * them back when somebody needs memory.
 */
export function anonymousBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
