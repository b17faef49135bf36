import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangePosition, TableVersion } from '../../contracts/change.ts';
import type {
  ChangeBatch,
  LogBounds,
  LogReader,
  ReadBackward,
  ReadForward,
  TableFilter,
} from '../../contracts/log-reader.ts';
import type { WalSampleAnswer } from '../../contracts/wal-samples.ts';
import { logMoved, logReaderClosed } from '../../core/errors/log-stream.ts';
import {
  decodeBackwardBatch,
  decodeBatch,
  decodeBounds,
  decodeCounted,
  decodeSampled,
  decodeTables,
} from './answer-codec.ts';
import { openWaitsMax, waitFallbackMs } from './limits.ts';
import type { LogConnection } from './log-connection.ts';
import { type RequestKind, requestKind } from './protocol.ts';
import { type LocateLog, Reconnection } from './reconnection.ts';
import {
  encodeChanged,
  encodeCount,
  encodeRead,
  encodeReadBackward,
  encodeWalSample,
} from './request-codec.ts';
import { SharedWaits } from './shared-waits.ts';
import { TableTexts } from './table-codec.ts';

/** Ids of table versions from one log to the next; those of a local log are below the first. */
export const versionsOfOneLog: number = 2 ** 32;

/** What is known of the log at the other end of a connection. */
type RemoteLog = {
  readonly connection: LogConnection;
  /** Added to its ids of table versions. */
  readonly offset: number;
  readonly texts: TableTexts;
  readonly waits: SharedWaits;
};

/**
 * Reads the log of another node. It connects when it is asked for something; what only reads can be
 * asked twice, so a request whose connection breaks is sent once more.
 *
 * Another log numbers the versions of tables its own way, and so does the same one once its process
 * was started again. The ids given out here are therefore those of one process of one log: asked
 * for by what `tables` said of another, a read is refused (08006, retryable) and does not answer
 * with the rows of the wrong table.
 */
export class RemoteLogReader implements LogReader {
  readonly #reconnection: Reconnection;
  readonly #closing: AbortController = new AbortController();
  #log: RemoteLog | undefined;
  #instance = '';
  #generation = 0;

  constructor(options: { readonly database: string; readonly locate: LocateLog }) {
    this.#reconnection = new Reconnection(options);
    // As many as there are who wait.
    setMaxListeners(0, this.#closing.signal);
  }

  async bounds(): Promise<LogBounds> {
    const { answer } = await this.#ask(requestKind.bounds, () => Buffer.alloc(0));
    return decodeBounds(answer);
  }

  async tables(): Promise<readonly TableVersion[]> {
    const { answer, log } = await this.#ask(requestKind.tables, () => Buffer.alloc(0));
    return decodeTables(answer, log.texts);
  }

  async count(versions: ReadonlySet<number>, epoch?: number): Promise<number> {
    const { answer } = await this.#ask(requestKind.count, ({ offset }) =>
      encodeCount({ versions: idsOf(versions, offset), epoch }),
    );
    return decodeCounted(answer);
  }

  async walSample(xmin: bigint): Promise<WalSampleAnswer> {
    const { answer } = await this.#ask(requestKind.walSample, () => encodeWalSample(xmin));
    return decodeSampled(answer);
  }

  async read(request: ReadForward): Promise<ChangeBatch> {
    const { answer, log } = await this.#ask(requestKind.read, ({ offset }) =>
      encodeRead({ ...request, tables: filterOf(request.tables, offset) }),
    );
    return decodeBatch(answer, log.texts);
  }

  async readBackward(request: ReadBackward): ReturnType<LogReader['readBackward']> {
    const { answer, log } = await this.#ask(requestKind.readBackward, ({ offset }) =>
      encodeReadBackward({ ...request, tables: filterOf(request.tables, offset) }),
    );
    return decodeBackwardBatch(answer, log.texts);
  }

  /** Goes on over any number of connections: positions mean the same in the next owner's log. */
  async changed(beyond: ChangePosition, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    signal.addEventListener('abort', abort);
    this.#closing.signal.addEventListener('abort', abort);
    if (signal.aborted || this.#closing.signal.aborted) abort();
    try {
      while (!stop.signal.aborted) {
        if (await this.#waitOnce(beyond, stop.signal)) return;
        await delay(waitFallbackMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    } finally {
      signal.removeEventListener('abort', abort);
      this.#closing.signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#reconnection.close(logReaderClosed());
  }

  /** False when it has to be tried again. */
  async #waitOnce(beyond: ChangePosition, signal: AbortSignal): Promise<boolean> {
    try {
      const { waits } = await this.#connected();
      if (!waits.hasRoomFor(beyond)) {
        // Too many different positions: whoever waits looks for itself now and then.
        await delay(waitFallbackMs, undefined, { signal }).catch(() => undefined);
        return true;
      }
      await waits.wait(beyond, signal);
      return true;
    } catch {
      return false;
    }
  }

  async #ask(
    kind: RequestKind,
    bodyFor: (log: RemoteLog) => Buffer,
  ): Promise<{ readonly answer: Buffer; readonly log: RemoteLog }> {
    for (let isRepeated = false; ; isRepeated = true) {
      const log = await this.#connected();
      const body = bodyFor(log);
      try {
        return { answer: await log.connection.request(kind, body), log };
      } catch (error) {
        if (isRepeated || log.connection.isOpen) throw error;
      }
    }
  }

  async #connected(): Promise<RemoteLog> {
    const connection = await this.#reconnection.connection();
    if (this.#log?.connection === connection) return this.#log;
    if (connection.instance !== this.#instance) {
      this.#instance = connection.instance;
      this.#generation += 1;
      const offset = this.#generation * versionsOfOneLog;
      this.#log = { ...logOf(connection), offset, texts: new TableTexts(offset) };
    } else this.#log = { ...this.#log!, ...logOf(connection) };
    return this.#log;
  }
}

function logOf(connection: LogConnection): Pick<RemoteLog, 'connection' | 'waits'> {
  const waits = new SharedWaits(openWaitsMax, (beyond) => connection.wait(encodeChanged(beyond)));
  return { connection, waits };
}

function filterOf(tables: TableFilter, offset: number): TableFilter {
  return tables === 'all' ? 'all' : idsOf(tables, offset);
}

/** @throws PgError 08006 for ids of another log */
function idsOf(versions: ReadonlySet<number>, offset: number): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const version of versions) {
    const id = version - offset;
    if (id < 0 || id >= versionsOfOneLog) throw logMoved();
    ids.add(id);
  }
  return ids;
}
