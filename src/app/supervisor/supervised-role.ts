import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../contracts/logger.ts';
import { configurationExitCode, roleDoesNotStart } from '../../core/errors/configuration.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import type { PartState } from '../../http/node-view.ts';
import type { CollectedMetrics } from '../../observe/process-metrics.ts';
import type { Address } from '../config/address.ts';
import { firstStartAttemptsMax, roleExitMax, roleReadyMax } from '../limits.ts';
import { Backoff } from './backoff.ts';
import type { FromRole, ToRole } from './messages.ts';
import { Pulse, type PulseOptions } from './pulse.ts';
import { Tally } from './tally.ts';

export type SupervisedRoleOptions = {
  readonly name: string;
  readonly logger: Logger;
  readonly spawn: () => ChildProcess;
  /** Asked at each start; `previous` is where the last process listened. */
  readonly configuration: (previous: Readonly<Record<string, Address>>) => unknown;
  readonly onChange: () => void;
  /** It cannot go on; called at most once. */
  readonly onFatal: (error: PgError) => void;
  readonly onMessage?: (message: FromRole) => void;
  readonly pulse?: Pick<PulseOptions, 'intervalMs' | 'answerMaxMs'>;
  /** How long a process may take to become ready before it is killed; `roleReadyMax`, ms. */
  readonly readyMaxMs?: number;
};

/** One process of a role: started, configured, watched, started again when it ends. */
export class SupervisedRole {
  readonly name: string;
  readonly ready: Promise<void>;

  readonly #options: SupervisedRoleOptions;
  readonly #backoff = new Backoff();
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #state: PartState['state'] = 'starting';
  #restarts = 0;
  #wasReady = false;
  #addresses: Readonly<Record<string, Address>> = {};
  #announceReady: () => void = () => undefined;
  #failure: PgError | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #readyTimer: NodeJS.Timeout | undefined;
  readonly #tally = new Tally();
  readonly #pulse: Pulse;

  constructor(options: SupervisedRoleOptions) {
    this.name = options.name;
    this.#options = options;
    const { name, logger } = options;
    this.#pulse = new Pulse({
      ask: () => this.send({ kind: 'ping' }),
      onSilence: () => {
        logger.warn('process does not answer', { part: name, process: this.pid });
        this.#become('silent');
      },
      onReturn: () => this.#become('up'),
      ...options.pulse,
    });
    this.ready = new Promise((resolve) => {
      this.#announceReady = resolve;
    });
  }

  get state(): PartState['state'] {
    return this.#state;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get pid(): number | undefined {
    const child = this.#child;
    // One that was drained has ended although nobody starts it again.
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  get addresses(): Readonly<Record<string, Address>> {
    return this.#addresses;
  }

  start(): void {
    const child = this.#options.spawn();
    const startedAt = performance.now();
    const readyMaxMs = this.#options.readyMaxMs ?? roleReadyMax;
    let isLate = false;
    this.#readyTimer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, readyMaxMs);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      let isOver = false;
      const over = (how: string, code: number | null): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(this.#readyTimer);
        this.#tally.processEnded();
        this.#pulse.stop();
        resolve();
        const ended = isLate ? `was not ready within ${readyMaxMs / 1_000} s` : how;
        this.#ended({ how: ended, code, ranForMs: performance.now() - startedAt });
      };
      child.once('error', (error) => over(`could not be run: ${error.message}`, null));
      child.once('exit', (code, signal) => over(`ended with ${signal ?? `code ${code}`}`, code));
    });
    child.on('message', (message) => this.#receive(message as FromRole));
  }

  /** Lost when the process is not there: whoever restarts is told anew. */
  send(message: ToRole): void {
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** What its processes have counted, as far as they have told it. */
  collect(): Promise<readonly CollectedMetrics[]> {
    const isThere = this.#state === 'up' || this.#state === 'draining';
    if (!isThere || this.pid === undefined) return Promise.resolve(this.#tally.counted);
    return this.#tally.collect((id) => this.send({ kind: 'collect', id }));
  }

  /** Lets the process finish what is open, then ends it in any case. */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#state = 'draining';
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#readyTimer);
    this.send({ kind: 'drain', timeoutMs: drainTimeoutMs });
    this.#options.onChange();
    const patience = new AbortController();
    const late = delay(drainTimeoutMs + roleExitMax, undefined, { signal: patience.signal });
    await Promise.race([this.#exited, late]);
    patience.abort();
    late.catch(() => undefined);
    this.kill();
    await this.#exited;
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  #receive(message: FromRole): void {
    switch (message.kind) {
      case 'hello':
        this.#greet();
        return;
      case 'ready':
        clearTimeout(this.#readyTimer);
        this.#addresses = message.addresses;
        this.#wasReady = true;
        this.#pulse.start();
        this.#announceReady();
        this.#become('up');
        return;
      case 'pong':
        this.#pulse.answered();
        return;
      case 'failed':
        this.#failure = new PgError(message.error);
        return;
      case 'collected':
        this.#tally.answered(message.id, message.metrics);
        return;
      case 'capture':
      case 'collect-node':
        this.#options.onMessage?.(message);
        return;
    }
  }

  #become(state: PartState['state']): void {
    if (this.#state === 'draining') return;
    this.#state = state;
    this.#options.onChange();
  }

  #greet(): void {
    if (this.#state === 'draining') {
      // The order to drain came before anybody listened.
      this.send({ kind: 'drain', timeoutMs: 0 });
      return;
    }
    const configuration = this.#options.configuration(this.#addresses);
    this.send({ kind: 'configure', configuration });
  }

  #ended(end: { how: string; code: number | null; ranForMs: number }): void {
    if (this.#state === 'draining') return;
    const { name, logger, onChange, onFatal } = this.#options;
    if (this.#failure !== undefined && end.code === configurationExitCode) {
      onFatal(this.#failure);
      return;
    }
    const delayMs = this.#backoff.next(end.ranForMs);
    if (!this.#wasReady && this.#backoff.failures >= firstStartAttemptsMax) {
      onFatal(roleDoesNotStart(name, end.how));
      return;
    }
    this.#state = 'restarting';
    this.#restarts += 1;
    logger.warn('process ended, restarting', { part: name, how: end.how, delayMs });
    this.#restartTimer = setTimeout(() => this.start(), delayMs);
    onChange();
  }
}
