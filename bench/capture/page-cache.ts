import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const piece = Buffer.alloc(1024 * 1024, 1);

/**
 * Uses that much of the page cache for a file and frees it again, so that memory is at hand for
 * whoever writes next. On a virtual machine that gives free memory back to its host, the first to
 * write pays for getting it: without this, whichever of two comes later looks faster.
 */
export async function warmPageCache(directory: string, bytes: number): Promise<void> {
  const path = join(directory, 'warm');
  const file = await open(path, 'w');
  try {
    for (let left = bytes; left > 0; left -= piece.length) await file.write(piece);
  } finally {
    await file.close();
    await rm(path);
  }
}
