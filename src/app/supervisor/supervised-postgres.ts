import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../contracts/logger.ts';
import type { PartState } from '../../http/node-view.ts';
import type { EmbeddedPostgres } from '../embedded-postgres/embedded-postgres.ts';
import type { PostgresProcess } from '../embedded-postgres/postgres-process.ts';
import { postgresStopMax } from '../limits.ts';
import { Backoff } from './backoff.ts';

/** Keeps the embedded Postgres running, on the same port as long as nobody takes it. */
export class SupervisedPostgres {
  readonly #postgres: EmbeddedPostgres;
  readonly #logger: Logger;
  readonly #onChange: () => void;
  readonly #backoff = new Backoff();
  readonly #stopping = new AbortController();
  #process: PostgresProcess | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> = Promise.resolve();
  #state: PartState['state'] = 'starting';
  #restarts = 0;

  constructor(options: {
    readonly postgres: EmbeddedPostgres;
    readonly logger: Logger;
    /** Also called when the port changed. */
    readonly onChange: () => void;
  }) {
    this.#postgres = options.postgres;
    this.#logger = options.logger;
    this.#onChange = options.onChange;
  }

  get part(): PartState {
    return {
      name: 'postgres',
      state: this.#state,
      restarts: this.#restarts,
      pids: this.#state === 'up' && this.#process ? [this.#process.pid] : [],
      silentPids: [],
    };
  }

  get port(): number {
    return this.#process?.port ?? 0;
  }

  /** Rejects when it does not start the first time; afterwards it is tried for ever. */
  async start(): Promise<void> {
    const starting = this.#postgres.start();
    this.#starting = starting.catch(() => undefined);
    this.#process = await starting;
    this.#state = 'up';
    this.#watching = this.#watch(this.#process);
  }

  async stop(): Promise<void> {
    this.#state = 'draining';
    this.#stopping.abort();
    // A crash recovery may take longer than a stop can wait: the next start finds what is left.
    await Promise.race([this.#starting, delay(postgresStopMax, undefined, { ref: false })]);
    await this.#process?.stop();
    await this.#watching;
  }

  async #watch(first: PostgresProcess): Promise<void> {
    let process = first;
    let startedAt = performance.now();
    for (;;) {
      const how = await process.exited;
      if (this.#stopping.signal.aborted) return;
      this.#state = 'restarting';
      this.#restarts += 1;
      this.#logger.warn('embedded postgres ended, restarting', { how });
      this.#onChange();
      const next = await this.#restart(performance.now() - startedAt, process.port);
      if (next === undefined) return;
      process = next;
      startedAt = performance.now();
      this.#process = process;
      this.#state = 'up';
      this.#onChange();
      // Asked to stop while starting: nobody else knows of this process yet.
      if (this.#stopping.signal.aborted) await process.stop();
    }
  }

  async #restart(ranForMs: number, port: number): Promise<PostgresProcess | undefined> {
    let delayMs = this.#backoff.next(ranForMs);
    for (;;) {
      const { signal } = this.#stopping;
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      try {
        return await this.#postgres.start(port);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        delayMs = this.#backoff.next(0);
        this.#logger.error('embedded postgres did not start', { reason, delayMs });
      }
    }
  }
}
