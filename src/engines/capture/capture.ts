import { setTimeout as delay } from 'node:timers/promises';
import {
  CaptureCatalog,
  type CaptureFacts,
  type CaptureStatus,
} from '../../catalog/capture-catalog.ts';
import { bindInstallation, type DatabaseIdentity } from '../../catalog/installation.ts';
import { migrate } from '../../catalog/migrate.ts';
import { NodeRegistry } from '../../catalog/node-registry.ts';
import { Ownership } from '../../catalog/ownership.ts';
import type { CaptureReport } from '../../contracts/capture-metrics.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { Connection } from '../../postgres/connection.ts';
import { asPgError } from '../../postgres/server-error.ts';
import type { CaptureTask } from './capture-task.ts';
import { CaptureTenure } from './capture-tenure.ts';
import { retryDelayMaxMs, retryDelayMinMs, wishPollMs } from './limits.ts';
import { hasSlot } from './slot.ts';

/**
 * Capture of one database by this node: waits until it is wanted and nobody else does it, then
 * streams, and begins again after whatever ends that. Never rejects; what is wrong is in the
 * catalog, the log and the metrics.
 */
export class Capture {
  readonly #options: CaptureTask;
  #wake: () => void = () => undefined;
  #said = '';
  /** What it stopped with, until it goes on or is not wanted any more. */
  #failedWith: string | undefined;
  #streamsInProgress = true;

  constructor(options: CaptureTask) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = performance.now();
      this.#become('connecting');
      try {
        await this.#connected(signal);
      } catch (error) {
        this.#report(error);
      }
      if (performance.now() - startedAt > retryDelayMaxMs) failures = 0;
      await this.#sleep(retryDelay(failures), signal);
      failures += 1;
    }
  }

  #become(state: CaptureReport['state'], error?: CaptureReport['error']): void {
    const { metrics, target, report } = this.#options;
    const said = JSON.stringify([state, error]);
    if (said === this.#said) return;
    this.#said = said;
    if (state === 'streaming' || state === 'off') this.#failedWith = undefined;
    const reported: CaptureReport = { database: target.database, state, error };
    metrics.reported(reported);
    report(reported);
  }

  #report(error: unknown): void {
    const { logger, metrics, target } = this.#options;
    const { code, message, detail, hint, retryable } = asPgError(error);
    const failure = `${code} ${message}`;
    if (failure !== this.#failedWith) metrics.failed(target.database, code);
    this.#failedWith = failure;
    // Servers fail to decode some transactions while these are in progress (a table that one of
    // their subtransactions altered and took back), and not when they are complete: then so.
    if (code === 'XX000') this.#streamsInProgress = !this.#streamsInProgress;
    this.#become(retryable ? 'failing' : 'stopped', { code, message, hint });
    const { database } = target;
    logger.warn('capture stopped', { database, code, error: message, detail, hint });
    if (!(error instanceof PgError)) logger.error('capture failed unexpectedly', { error });
    if (failedWrite.has(code)) this.#options.logFailed();
  }

  /** One control connection, from connecting to its end. */
  async #connected(signal: AbortSignal): Promise<void> {
    const { target, node, isOn } = this.#options;
    const connection = await Connection.open(target);
    const lost = new AbortController();
    connection.onceClosed(() => lost.abort());
    const either = AbortSignal.any([signal, lost.signal]);
    try {
      // What the log relies on is durable whatever the server's setting, and waits for no standby.
      await connection.query('SET synchronous_commit = local');
      await migrate(connection);
      const registry = new NodeRegistry(connection, node);
      await registry.register();
      await connection.listen('heliosdb', () => this.#wake());
      const catalog = new CaptureCatalog(connection);
      if (isOn) await catalog.enableUnlessSaid();
      let failures = 0;
      while (!either.aborted) {
        let wait = wishPollMs;
        try {
          if (await this.#tryOwning(connection, catalog, either)) wait = 0;
          failures = 0;
        } catch (error) {
          if (!connection.isOpen) throw error;
          // What ended it may be mended by a statement, which wakes us: the connection is kept.
          this.#report(error);
          wait = retryDelay(failures);
          failures += 1;
        }
        await registry.beat();
        if (wait > 0) await this.#sleep(wait, either);
      }
    } finally {
      await connection.close();
    }
  }

  /** Does the work when it is wanted and the ownership is free; false when there was none. */
  async #tryOwning(
    connection: Connection,
    catalog: CaptureCatalog,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { node } = this.#options;
    const wish = await catalog.wish();
    if (wish.enabled !== true && !(await hasSlot(connection))) {
      this.#become('off');
      return false;
    }
    const ownership = new Ownership(connection, node.id);
    if (!(await ownership.acquire())) {
      this.#become('standby');
      return false;
    }
    try {
      const source = await this.#bind(connection, catalog);
      const facts: CaptureFacts = await catalog.takeOver(node.id);
      const tenure = new CaptureTenure({
        ...this.#options,
        ...{ connection, catalog, facts, source },
        streamsInProgress: this.#streamsInProgress,
      });
      this.#become('starting');
      await tenure.run(signal, {
        onWake: (wake) => {
          this.#wake = wake;
        },
        onStreaming: () => this.#become('streaming'),
      });
      return true;
    } finally {
      if (connection.isOpen) await ownership.release();
    }
  }

  async #bind(connection: Connection, catalog: CaptureCatalog): Promise<DatabaseIdentity> {
    try {
      return await bindInstallation(connection);
    } catch (error) {
      const { term } = await catalog.facts();
      await catalog.writeStatus(term, this.#options.node.id, statusOf(asPgError(error)));
      throw error;
    }
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const either = AbortSignal.any([signal, woken.signal]);
    await delay(ms, undefined, { signal: either }).catch(() => undefined);
  }
}

/** SQLSTATEs of a log that could not be written. */
const failedWrite: ReadonlySet<string> = new Set(['53100', '58030']);

function retryDelay(failures: number): number {
  return Math.min(retryDelayMinMs * 2 ** failures, retryDelayMaxMs);
}

/** Of a capture that does not even begin. */
function statusOf(error: PgError): CaptureStatus {
  return {
    state: 'stopped',
    logStart: undefined,
    logEnd: undefined,
    durable: undefined,
    confirmed: undefined,
    logBytes: 0,
    changes: 0,
    error,
  };
}
