import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a fact; the timeout of the test is the end of it. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(1);
}
