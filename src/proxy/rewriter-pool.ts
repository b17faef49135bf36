import type { Logger } from '../contracts/logger.ts';
import type { ProxyMetrics } from '../contracts/proxy-metrics.ts';
import type { Rewrite, RewriteInput, Rewriter } from '../contracts/rewriter.ts';
import { statementTooComplex } from '../core/errors/connection.ts';
import { parserWorkersMax } from '../core/limits.ts';
import { ParserWorker, type ParserWorkerOptions } from './parser-worker.ts';
import { provoke } from './refusal.ts';
import { cacheKey, RewriteCache } from './rewrite-cache.ts';

export type RewriterPoolOptions = {
  readonly logger: Logger;
  readonly metrics: ProxyMetrics;
  /** For tests: another module than the real one, shorter deadlines. */
  readonly worker?: Partial<ParserWorkerOptions>;
};

type Job = { readonly input: RewriteInput; readonly settle: (rewrite: Rewrite) => void };

/**
 * The rewriter in threads of its own, started when first needed. Each worker has one text at a
 * time, so a worker that is lost (killed at the deadline, crashed, its parser broken) names its
 * culprit: that text alone is refused with 54001, and the texts that wait go to a new worker. As
 * many texts wait as there are sessions, at most.
 */
export class RewriterPool implements Rewriter {
  readonly #options: RewriterPoolOptions;
  readonly #cache: RewriteCache = new RewriteCache();
  readonly #waiting: Job[] = [];
  readonly #idle: ParserWorker[] = [];
  readonly #all: Set<ParserWorker> = new Set();
  #isStopped = false;

  constructor(options: RewriterPoolOptions) {
    this.#options = options;
  }

  /** Workers that are running; none before the first text. */
  get workers(): number {
    return this.#all.size;
  }

  async rewrite(input: RewriteInput): Promise<Rewrite> {
    const key = cacheKey(input);
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const rewrite = await new Promise<Rewrite>((settle) => {
      this.#waiting.push({ input, settle });
      this.#dispatch();
    });
    // A refusal is remembered too: the same text would cost another worker.
    if (!this.#isStopped) this.#cache.set(key, rewrite);
    return rewrite;
  }

  /** Ends the workers; texts that still wait are passed through. */
  stop(): void {
    this.#isStopped = true;
    for (const worker of this.#all) worker.stop();
    for (const job of this.#waiting.splice(0)) job.settle({ kind: 'pass' });
  }

  #dispatch(): void {
    while (this.#waiting.length > 0 && !this.#isStopped) {
      const worker = this.#idle.pop() ?? this.#start();
      if (worker === undefined) return;
      if (!worker.isLost) void this.#run(worker, this.#next());
      else this.#all.delete(worker);
    }
  }

  /** The shortest text first, so that sessions full of long ones do not keep the others waiting. */
  #next(): Job {
    let shortest = 0;
    for (const [index, { input }] of this.#waiting.entries()) {
      if (input.text.length < this.#waiting[shortest]!.input.text.length) shortest = index;
    }
    return this.#waiting.splice(shortest, 1)[0]!;
  }

  #start(): ParserWorker | undefined {
    if (this.#all.size >= parserWorkersMax) return undefined;
    const worker = new ParserWorker({
      module: new URL('./rewriter-worker.js', import.meta.url),
      ...this.#options.worker,
    });
    this.#all.add(worker);
    return worker;
  }

  async #run(worker: ParserWorker, job: Job): Promise<void> {
    const outcome = await worker.rewrite(job.input);
    if (outcome.kind === 'rewritten') {
      this.#idle.push(worker);
      job.settle(outcome.rewrite);
    } else {
      this.#all.delete(worker);
      if (!this.#isStopped) this.#report(outcome.reason);
      job.settle(this.#isStopped ? { kind: 'pass' } : provoke(statementTooComplex()));
    }
    this.#dispatch();
  }

  #report(reason: string): void {
    this.#options.logger.warn('parser worker lost, its statement was refused', { reason });
    this.#options.metrics.parserWorkerLost();
  }
}
