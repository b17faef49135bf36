import { setTimeout as delay } from 'node:timers/promises';
import {
  type Connector,
  type ConnectorCatalog,
  readerOf,
} from '../../catalog/connector-catalog.ts';
import { ReaderRegistry } from '../../catalog/reader-registry.ts';
import { type ChangePosition, comparePositions } from '../../contracts/change.ts';
import type { Sink } from '../../contracts/sink.ts';
import { connectorTypeUnknown } from '../../core/errors/connectors.ts';
import type { PgError } from '../../core/errors/pg-error.ts';
import { failpoint } from '../../core/failpoint.ts';
import { parseLsn } from '../../core/lsn.ts';
import type { Connection } from '../../postgres/connection.ts';
import type { DeliveryTask } from './delivery-task.ts';
import { noEnvelope } from './envelopes/encode.ts';
import { heliosdbEnvelope } from './envelopes/heliosdb.ts';
import {
  batchChangesStandard,
  checkpointChangesStandard,
  closeMaxMs,
  cursorIntervalMinMs,
  reconcilePollMs,
  visiblePollMs,
} from './limits.ts';
import { Pipeline, type PipelineProgress } from './pipeline.ts';
import { resolveOptions } from './secrets.ts';
import { sinkTypes } from './sinks/sink-types.ts';

export type TenureOptions = DeliveryTask & {
  readonly connection: Connection;
  readonly catalog: ConnectorCatalog;
  readonly term: number;
};

/** A connector that runs, and what is not in the catalog yet. */
type Running = {
  readonly connector: Connector;
  readonly stopping: AbortController;
  readonly over: Promise<void>;
  /** As it is in the catalog, as far as we know. */
  written: ChangePosition;
  cursor: ChangePosition;
  failure: PgError | undefined;
  /** The failure that is in the catalog. */
  told: PgError | undefined;
  gap: PgError | undefined;
  delivered: number;
  retries: number;
  /** Changes between two cursors in the catalog. */
  readonly checkpointChanges: number;
};

/** Delivers while this node owns the delivery of a database. */
export class DeliveryTenure {
  readonly #options: TenureOptions;
  readonly #registry: ReaderRegistry;
  readonly #running: Map<string, Running> = new Map();
  #wake: () => void = () => undefined;

  constructor(options: TenureOptions) {
    this.#options = options;
    this.#registry = new ReaderRegistry(options.connection, options.term, 'delivery');
  }

  /** Resolves when told to stop, or when another node delivers; rejects with what ended it. */
  async run(signal: AbortSignal, onWake: (wake: () => void) => void): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#reconcile();
        if (!(await this.#write())) return;
        await this.#sleep(signal, onWake);
        // Whoever delivers much does not make the catalog busy.
        await delay(cursorIntervalMinMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      await Promise.all([...this.#running.values()].map((one) => this.#stop(one)));
      if (this.#options.connection.isOpen) await this.#write().catch(() => false);
    }
  }

  /** Starts what is wanted, stops what is not, and what is wanted otherwise. */
  async #reconcile(): Promise<void> {
    const wanted = await this.#options.catalog.enabled();
    const byId = new Map(wanted.map((connector) => [connector.id, connector]));
    for (const [id, running] of this.#running) {
      if (byId.get(id)?.version === running.connector.version) continue;
      await this.#stop(running);
      // Where it stands is what the statement said, or what it delivered before it was changed.
      await this.#writeOne(running);
      this.#running.delete(id);
    }
    const missing = wanted.filter(({ id, state }) => !this.#running.has(id) && state !== 'gap');
    if (missing.length === 0) return;
    const current = await this.#options.catalog.enabled();
    for (const { id } of missing) {
      const connector = current.find((one) => one.id === id);
      if (connector !== undefined) this.#running.set(id, this.#start(connector));
    }
  }

  #start(connector: Connector): Running {
    const { reader, accessOf, logger } = this.#options;
    const stopping = new AbortController();
    const running: Running = {
      connector,
      stopping,
      over: Promise.resolve(),
      written: connector.position,
      cursor: connector.position,
      failure: undefined,
      told: undefined,
      gap: undefined,
      delivered: 0,
      retries: 0,
      checkpointChanges: Number(
        connector.options['checkpoint_interval'] ?? checkpointChangesStandard,
      ),
    };
    const pipeline = new Pipeline({
      connector,
      reader,
      access: accessOf(connector.owner),
      // A stream has fields of its own.
      encode:
        connector.type === 'redis' ? noEnvelope : heliosdbEnvelope(this.#options.target.database),
      batchChanges: Number(connector.options['batch_size'] ?? batchChangesStandard),
      openSink: (signal) => this.#openSink(connector, signal),
      progress: this.#progressOf(running),
      logger,
    });
    return Object.assign(running, { over: pipeline.run(stopping.signal) });
  }

  async #openSink(connector: Connector, signal: AbortSignal): Promise<Sink> {
    const { target, logger, secretsDirectory } = this.#options;
    const options = await resolveOptions(connector.options, {
      environment: process.env,
      directory: secretsDirectory,
    });
    const type = sinkTypes[connector.type];
    if (type === undefined) {
      throw connectorTypeUnknown(connector.type, Object.keys(sinkTypes));
    }
    const open = await type();
    return open({ connector: connector.name, database: target.database, options, logger, signal });
  }

  #progressOf(running: Running): PipelineProgress {
    const { connection, catalog, term } = this.#options;
    return {
      async writtenLsn() {
        const [row] = await connection.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
        return parseLsn(String(row?.['lsn'])) ?? 0n;
      },
      begun: async (at) => {
        running.cursor = at;
        await this.#writeOne(running);
        await catalog.begun(term, running.connector.id);
      },
      isWantedStill: async (xid) => {
        while (!(await catalog.isVisible(xid))) {
          if (running.stopping.signal.aborted) return false;
          await delay(visiblePollMs);
        }
        const version = await catalog.versionOf(running.connector.id);
        if (version === running.connector.version) return true;
        this.#wake();
        return false;
      },
      delivered: (through, changes) => {
        running.cursor = through;
        running.delivered += changes;
        const wasFailing = running.failure !== undefined;
        running.failure = undefined;
        if (wasFailing || running.delivered >= running.checkpointChanges) this.#wake();
      },
      failing: (error) => {
        running.retries += 1;
        running.failure = error;
        this.#wake();
      },
      gap: (error) => {
        running.gap = error;
        this.#wake();
      },
    };
  }

  /** False when another node delivers by now. */
  async #write(): Promise<boolean> {
    for (const running of this.#running.values()) {
      if (!(await this.#writeOne(running))) return false;
    }
    return true;
  }

  async #writeOne(running: Running): Promise<boolean> {
    const { connector, written, cursor, failure, gap, delivered, retries } = running;
    const reader = readerOf(connector.name);
    let isWritten = true;
    const isOver = failure === undefined && running.told !== undefined;
    if (isOver || comparePositions(cursor, written) !== 0) {
      failpoint('connector.cursor');
      isWritten = await this.#registry.advanceFrom(reader, written, cursor);
      if (isWritten) Object.assign(running, { written: cursor, told: undefined });
    }
    if (gap !== undefined) isWritten &&= await this.#registry.markGap(reader, gap.message);
    else if (failure !== undefined && failure !== running.told) {
      isWritten &&= await this.#registry.fail(reader, failure);
      running.told = failure;
    }
    // A statement may have moved it, or it is gone: the next look finds that.
    if (!isWritten) return this.#options.catalog.owns(this.#options.term);
    running.delivered -= delivered;
    running.retries -= retries;
    const tally = { id: connector.id, delivered, retries };
    await this.#options.catalog.writeTally(tally);
    return true;
  }

  /** A sink that hangs is left behind after a while: what it may still do is a repeat. */
  async #stop(running: Running): Promise<void> {
    running.stopping.abort();
    await Promise.race([running.over, delay(closeMaxMs, undefined, { ref: false })]);
  }

  async #sleep(signal: AbortSignal, onWake: (wake: () => void) => void): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    onWake(this.#wake);
    const either = AbortSignal.any([signal, woken.signal]);
    await delay(reconcilePollMs, undefined, { signal: either }).catch(() => undefined);
  }
}
