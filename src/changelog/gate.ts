import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gateAgeMaxMs, gatePollMs } from './limits.ts';

/*
 * The last process that closes an LMDB environment destroys the locks in its lock file; one that
 * opens it at the same moment takes them for good, and from then on nobody can open it until all
 * who have tried are gone. So openings and closings go one by one, through a directory that only
 * one can make. Whoever was killed inside leaves it, until it is old.
 */

/** Opens inside the gate; the wait is a moment, as long as somebody else opens or closes. */
export function openInGate<T>(directory: string, open: () => T): T {
  const gate = join(directory, 'gate');
  while (!enter(gate)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, gatePollMs);
  try {
    return open();
  } finally {
    leave(gate);
  }
}

export async function closeInGate(directory: string, close: () => Promise<void>): Promise<void> {
  const gate = join(directory, 'gate');
  while (!enter(gate)) await delay(gatePollMs);
  try {
    await close();
  } finally {
    leave(gate);
  }
}

function enter(gate: string): boolean {
  try {
    mkdirSync(gate);
    return true;
  } catch (error) {
    // No space, or no directory any more: then nobody else comes through either.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return true;
    const made = statSync(gate, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    // A clock may have been set back meanwhile.
    if (Math.abs(Date.now() - made) > gateAgeMaxMs) leave(gate);
    return false;
  }
}

function leave(gate: string): void {
  try {
    rmdirSync(gate);
  } catch {
    // Somebody took it for one that was left behind.
  }
}
