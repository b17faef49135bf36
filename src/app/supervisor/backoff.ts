import { restartDelayMax, restartDelayMin, restartStableMs } from '../limits.ts';

/** Delays between restarts: doubling, bounded, from the beginning again after a healthy time. */
export class Backoff {
  #failures = 0;

  get failures(): number {
    return this.#failures;
  }

  /** Called when something ended; returns how long to wait before it is started again, ms. */
  next(ranForMs: number): number {
    if (ranForMs >= restartStableMs) this.#failures = 0;
    const delay = Math.min(restartDelayMin * 2 ** this.#failures, restartDelayMax);
    this.#failures += 1;
    return delay;
  }
}
