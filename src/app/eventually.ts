import { setTimeout as delay } from 'node:timers/promises';
import { pollIntervalMs } from './limits.ts';

/** Waits for a fact the operating system does not announce; false when the time is over. */
export async function eventually(
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() >= end) return false;
    await delay(pollIntervalMs);
  }
  return true;
}
