import { keepCounters } from '../../observe/kept-counters.ts';
import type { CollectedMetrics } from '../../observe/process-metrics.ts';
import { collectMax } from '../limits.ts';

/**
 * What one process after the other has counted in the same place. Sums over a node never go down:
 * a process that is silent or has ended still counts with what it said last. What was so at the
 * moment is shown only as its answer to this very question.
 */
export class Tally {
  readonly #waiting = new Map<number, (answered: boolean) => void>();
  #questions = 0;
  #ended: CollectedMetrics = [];
  #last: CollectedMetrics = [];

  /** Its answer to `ask`, or what it had counted when there is none within `collectMax`. */
  async collect(ask: (id: number) => void): Promise<readonly CollectedMetrics[]> {
    this.#questions += 1;
    const id = this.#questions;
    const isAnswered = await new Promise<boolean>((resolve) => {
      const done = (answered: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answered);
      };
      const timer = setTimeout(() => done(false), collectMax);
      this.#waiting.set(id, done);
      ask(id);
    });
    return isAnswered ? [this.#ended, this.#last] : this.counted;
  }

  /** What grows only, which is so whether or not the process still answers. */
  get counted(): readonly CollectedMetrics[] {
    return [keepCounters(this.#ended, this.#last)];
  }

  /** A late answer counts too. */
  answered(id: number, metrics: CollectedMetrics): void {
    this.#last = metrics;
    this.#waiting.get(id)?.(true);
  }

  processEnded(): void {
    this.#ended = keepCounters(this.#ended, this.#last);
    this.#last = [];
    for (const done of [...this.#waiting.values()]) done(false);
  }
}
