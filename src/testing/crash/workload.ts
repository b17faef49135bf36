import { withClient } from '../../postgres/client.ts';
import { Random } from '../oracle/random.ts';
import type { StepOptions } from './random-step.ts';
import { RandomWriter } from './random-writer.ts';

export type WorkloadOptions = StepOptions & {
  readonly seed: number;
  readonly writers: number;
  /** Where writer `number` connects to now. */
  readonly url: (number: number) => string;
};

/** Several random writers at once. */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #waiting: Set<{ until: number; done: () => void }> = new Set();
  #transactions = 0;
  #ended = 0;
  #seed: number;
  #writers: readonly RandomWriter[] = [];
  #running: Promise<unknown> = Promise.resolve();
  readonly errors: Map<string, number> = new Map();

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#seed = options.seed;
  }

  /** How many transactions have ended, in whatever way. */
  get ended(): number {
    return this.#ended;
  }

  start(): void {
    const { writers, url } = this.#options;
    this.#writers = Array.from({ length: writers }, (_, number) => {
      this.#seed += 1;
      return new RandomWriter({
        ...this.#options,
        number,
        random: new Random(this.#seed * 7919),
        url: () => url(number),
        nextTransaction: () => (this.#transactions += 1),
        ended: () => this.#note(),
        // One at most waits for the others, so that there are others.
        othersEnded: (count) => this.hasEnded(this.#ended + (number === 0 ? count : 0)),
      });
    });
    this.#running = Promise.all(this.#writers.map((writer) => writer.run()));
  }

  /** Resolves when that many transactions have ended, or the writers are told to stop. */
  hasEnded(until: number): Promise<void> {
    return new Promise((done) => {
      if (this.#ended >= until) done();
      else this.#waiting.add({ until, done });
    });
  }

  /** Resolves when nobody writes any more. What is prepared stays so. */
  async stop(): Promise<void> {
    for (const writer of this.#writers) writer.stop();
    for (const { done } of this.#waiting) done();
    this.#waiting.clear();
    await this.#running;
    for (const { errors } of this.#writers) {
      for (const [code, count] of errors) {
        this.errors.set(code, (this.errors.get(code) ?? 0) + count);
      }
    }
  }

  #note(): void {
    this.#ended += 1;
    for (const waiter of this.#waiting) {
      if (this.#ended < waiter.until) continue;
      this.#waiting.delete(waiter);
      waiter.done();
    }
  }
}

/** Commits some of what was prepared and rolls the rest back, so that the tables rest. */
export async function settlePrepared(url: string, random: Random): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ gid: string }>('SELECT gid FROM pg_prepared_xacts');
    for (const { gid } of rows) {
      const how = random.chance(0.6) ? 'COMMIT' : 'ROLLBACK';
      await client.query(`${how} PREPARED '${gid}'`);
    }
  });
}
