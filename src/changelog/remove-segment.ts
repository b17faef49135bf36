import { openKey, segmentKey } from './format.ts';
import { removedChunksMax } from './limits.ts';
import type { WriteQueue } from './write-queue.ts';

/** Removes the chunks of a segment, some at a time, so that no write transaction grows large. */
export async function removeSegment(queue: WriteQueue, segment: bigint): Promise<void> {
  const { store } = queue;
  await queue.committed();
  const range = { start: segmentKey(segment, 0), end: segmentKey(segment + 1n, 0) };
  for (;;) {
    const keys = [...store.segments.getKeys({ ...range, limit: removedChunksMax })];
    for (const key of keys) queue.watch(0, store.segments.remove(key));
    if (keys.length < removedChunksMax) break;
    await queue.committed();
  }
  queue.watch(0, store.open.remove(openKey(segment)));
}
