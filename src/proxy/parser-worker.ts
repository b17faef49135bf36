import { Worker } from 'node:worker_threads';
import type { Rewrite, RewriteInput } from '../contracts/rewriter.ts';
import {
  parseDeadlineMs,
  parserStartDeadlineMs,
  parserWorkerHeapMb,
  parserWorkerStackMb,
} from '../core/limits.ts';

export type WorkerQuestion = { readonly input: RewriteInput };

export type WorkerAnswer =
  | { readonly kind: 'started' }
  | { readonly kind: 'rewritten'; readonly rewrite: Rewrite }
  | { readonly kind: 'broken'; readonly reason: string };

/** How one text fared: an answer, or the worker is lost and must be replaced. */
export type WorkerOutcome =
  | { readonly kind: 'rewritten'; readonly rewrite: Rewrite }
  | { readonly kind: 'lost'; readonly reason: string };

/** Limits of a worker; tests shorten them. */
export type ParserWorkerOptions = {
  readonly module: URL;
  readonly deadlineMs?: number;
  readonly startDeadlineMs?: number;
};

/** A thread that rewrites one text at a time and does not outlive one that breaks it. */
export class ParserWorker {
  readonly #worker: Worker;
  readonly #deadlineMs: number;
  readonly #started: Promise<WorkerOutcome | undefined>;
  #settle: ((outcome: WorkerOutcome) => void) | undefined;
  #isLost = false;

  constructor(options: ParserWorkerOptions) {
    this.#deadlineMs = options.deadlineMs ?? parseDeadlineMs;
    this.#worker = new Worker(options.module, {
      resourceLimits: {
        maxOldGenerationSizeMb: parserWorkerHeapMb,
        stackSizeMb: parserWorkerStackMb,
      },
      // What a parser writes to its standard output is not the proxy's.
      stdout: true,
      stderr: true,
    });
    this.#worker.unref();
    this.#worker.on('error', (error) => this.#lose(String(error)));
    this.#worker.on('messageerror', (error) => this.#lose(String(error)));
    this.#worker.on('exit', (code) => this.#lose(`the worker exited with code ${code}`));
    this.#worker.on('message', (answer: WorkerAnswer) => this.#answered(answer));
    this.#started = this.#await(options.startDeadlineMs ?? parserStartDeadlineMs).then((outcome) =>
      this.#isLost ? outcome : undefined,
    );
  }

  /** After a lost text the worker takes no other. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** One at a time. Never rejects. */
  async rewrite(input: RewriteInput): Promise<WorkerOutcome> {
    const failedStart = await this.#started;
    if (failedStart !== undefined) return failedStart;
    if (this.#isLost) return { kind: 'lost', reason: 'the worker has ended' };
    this.#worker.ref();
    this.#worker.postMessage({ input } satisfies WorkerQuestion);
    const outcome = await this.#await(this.#deadlineMs);
    this.#worker.unref();
    return outcome;
  }

  stop(): void {
    this.#lose('the worker was stopped');
  }

  #await(deadlineMs: number): Promise<WorkerOutcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#lose('the deadline passed'), deadlineMs);
      this.#settle = (outcome) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(outcome);
      };
    });
  }

  #answered(answer: WorkerAnswer): void {
    switch (answer.kind) {
      case 'started':
        this.#settle?.({ kind: 'rewritten', rewrite: { kind: 'pass' } });
        return;
      case 'rewritten':
        this.#settle?.(answer);
        return;
      case 'broken':
        this.#lose(answer.reason);
    }
  }

  #lose(reason: string): void {
    this.#isLost = true;
    void this.#worker.terminate();
    this.#settle?.({ kind: 'lost', reason });
  }
}
