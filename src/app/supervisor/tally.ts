import { keepCounters } from '../../observe/kept-counters.ts';
import type { CollectedMetrics } from '../../observe/process-metrics.ts';
import { collectMax } from '../limits.ts';

/**
 * What one process after the other has counted in the same place. Sums over a node never go down:
 * a process that is silent or has ended still counts with what it said last.
 */
export class Tally {
  readonly #waiting = new Map<number, () => void>();
  #questions = 0;
  #ended: CollectedMetrics = [];
  #last: CollectedMetrics = [];

  /** Everything known, after `ask` was answered or `collectMax` is over. */
  async collect(ask: (id: number) => void): Promise<readonly CollectedMetrics[]> {
    this.#questions += 1;
    const id = this.#questions;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, collectMax);
      this.#waiting.set(id, done);
      ask(id);
    });
    return this.known;
  }

  get known(): readonly CollectedMetrics[] {
    return [this.#ended, this.#last];
  }

  /** A late answer counts too. */
  answered(id: number, metrics: CollectedMetrics): void {
    this.#last = metrics;
    this.#waiting.get(id)?.();
  }

  processEnded(): void {
    this.#ended = keepCounters(this.#ended, this.#last);
    this.#last = [];
    for (const done of [...this.#waiting.values()]) done();
  }
}
