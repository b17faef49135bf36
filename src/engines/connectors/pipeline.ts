import { setTimeout as delay } from 'node:timers/promises';
import type { Connector } from '../../catalog/connector-catalog.ts';
import type { Change, ChangePosition } from '../../contracts/change.ts';
import type { ChangeAccess } from '../../contracts/change-access.ts';
import type { LogReader, ReadForward } from '../../contracts/log-reader.ts';
import type { Logger } from '../../contracts/logger.ts';
import type { OutgoingChange, Sink } from '../../contracts/sink.ts';
import { isMissingInLog } from '../../core/errors/change-log.ts';
import { connectorGap } from '../../core/errors/connectors.ts';
import type { PgError } from '../../core/errors/pg-error.ts';
import { failpoint } from '../../core/failpoint.ts';
import { asPgError } from '../../postgres/server-error.ts';
import { retryDelay } from './backoff.ts';
import type { Encode } from './envelopes/encode.ts';
import { Selection } from './selection.ts';
import { findStart, readingFrom } from './start-position.ts';

export type PipelineOptions = {
  readonly connector: Connector;
  readonly reader: LogReader;
  readonly access: ChangeAccess;
  readonly encode: Encode;
  readonly batchChanges: number;
  readonly openSink: (signal: AbortSignal) => Promise<Sink>;
  readonly progress: PipelineProgress;
  readonly logger: Logger;
};

/** What a pipeline tells of itself; whoever has the catalog writes it there. */
export interface PipelineProgress {
  /** How far the WAL is written now. */
  writtenLsn(): Promise<bigint>;
  /** It begins here from now on, whatever ends it. Rejects when it may not go on. */
  begun(at: ChangePosition): Promise<void>;
  /** A transaction said something of the connector: whether it is wanted as it was. */
  isWantedStill(xid: bigint): Promise<boolean>;
  /** Everything up to there is where it should be; so many changes of it were delivered. */
  delivered(through: ChangePosition, changes: number): void;
  /** It does not get on for now. */
  failing(error: PgError): void;
  /** It cannot go on before somebody says so. */
  gap(error: PgError): void;
}

/** A batch as it leaves, and what is dealt with when it has. */
type Outgoing = {
  readonly changes: readonly OutgoingChange[];
  readonly through: ChangePosition;
  readonly isAtEnd: boolean;
  /** It ends where a transaction of this id says something of the connector. */
  readonly statement: bigint | undefined;
};

/**
 * One connector: reads the log, sends what was asked for to the sink, batch by batch, and begins
 * again where it was after whatever ends that, for ever.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #selection: Selection;
  /** Where it goes on after a failure: behind what was delivered. */
  #from: ReadForward['from'] | undefined;
  #failures = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#selection = new Selection(options.connector, options.access);
  }

  /** Resolves when told to stop, when it cannot go on, or when something else is wanted. */
  async run(signal: AbortSignal): Promise<void> {
    const { connector, progress, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#deliver(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const failure = asPgError(error);
        if (isMissingInLog(failure)) {
          progress.gap(connectorGap(connector.name, failure.message));
          return;
        }
        progress.failing(failure);
        const { code, message, detail, hint } = failure;
        logger.warn('a connector does not get on', {
          connector: connector.name,
          code,
          error: message,
          detail,
          hint,
        });
      }
      await delay(retryDelay(this.#failures), undefined, { signal }).catch(() => undefined);
      this.#failures += 1;
    }
  }

  /** Resolves when it is over, rejects with what is to be tried again. */
  async #deliver(signal: AbortSignal): Promise<void> {
    const { openSink, progress } = this.#options;
    this.#from ??= await this.#begin(signal);
    const sink = await openSink(signal);
    try {
      let next = this.#read(this.#from);
      while (!signal.aborted) {
        const batch = await next;
        next = this.#read({ kind: 'after', position: batch.through });
        // It may reject while this one is under way, and is waited for behind that.
        next.catch(() => undefined);
        await this.#send(sink, batch);
        const { statement } = batch;
        if (statement !== undefined && !(await progress.isWantedStill(statement))) return;
        if (batch.isAtEnd) await this.#options.reader.changed(batch.through, signal);
      }
    } finally {
      await sink.close().catch(() => undefined);
    }
  }

  async #send(sink: Sink, { changes, through }: Outgoing): Promise<void> {
    const { progress } = this.#options;
    failpoint('connector.deliver');
    if (changes.length > 0) await sink.deliver(changes);
    failpoint('connector.delivered');
    this.#failures = 0;
    this.#from = { kind: 'after', position: through };
    progress.delivered(through, changes.length);
  }

  async #begin(signal: AbortSignal): Promise<ReadForward['from']> {
    const { connector, reader, progress } = this.#options;
    if (connector.startsBehind === undefined) {
      return readingFrom(connector.position, await reader.bounds());
    }
    const from = await findStart(reader, connector, await progress.writtenLsn(), signal);
    if (from.kind === 'at') await progress.begun({ epoch: from.epoch, lsn: from.lsn, seq: -1 });
    else await progress.begun(connector.position);
    return from;
  }

  /** Reads and encodes while the batch before it is under way. */
  async #read(from: ReadForward['from']): Promise<Outgoing> {
    const { reader, batchChanges, connector } = this.#options;
    const batch = await reader.read({
      from,
      tables: 'all',
      schemaChanges: true,
      changesMax: batchChanges,
    });
    // What a statement changes is changed for what is behind it in the WAL.
    const at = batch.changes.findIndex((change) => speaksOf(change, connector.name));
    const changes = at < 0 ? batch.changes : batch.changes.slice(0, at + 1);
    await this.#selection.prepare(changes);
    const statement = batch.changes[at];
    return {
      changes: changes.flatMap((change) => this.#outgoing(change)),
      through: statement?.position ?? batch.through,
      isAtEnd: batch.isAtEnd && statement === undefined,
      statement: statement?.xid,
    };
  }

  #outgoing(change: Change): OutgoingChange | readonly [] {
    const rights = this.#selection.of(change);
    if (rights === undefined) return [];
    return { change, rights, ...this.#options.encode(change, rights) };
  }
}

/** The message of a procedure; anybody may write one like it. */
function speaksOf({ schemaChange }: Change, connector: string): boolean {
  if (schemaChange === undefined || schemaChange.schema !== 'heliosdb') return false;
  return schemaChange.tableOid === 0 && schemaChange.name === connector;
}
