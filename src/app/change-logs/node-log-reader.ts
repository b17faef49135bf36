import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { versionsOfOneLog } from '../../changelog/remote/remote-log-reader.ts';
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
import { noLog } from '../../core/errors/change-log.ts';
import { logMoved, logOwnerUnknown } from '../../core/errors/log-stream.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { ownershipAgeMaxMs } from '../limits.ts';
import type { KnownOwner, LogOwnership } from './log-ownership.ts';

export type NodeLogReaderOptions = {
  readonly database: string;
  /** Of this node. */
  readonly node: string;
  readonly ownership: LogOwnership;
  readonly local: LogReader;
  /** Whether there is a log on this disk. */
  readonly hasLocal: () => boolean;
  /** Undefined: only what this node has is read, which is what it serves to others. */
  readonly remote: LogReader | undefined;
};

/**
 * The log of a database, wherever it is. On this disk it is read when this node captures the
 * database or did so last; a log that is here although another node has taken over ends somewhere
 * in the past and is not read. While the catalog does not answer, what it said last holds, and when
 * it has never answered, a log on this disk is the best there is.
 */
export class NodeLogReader implements LogReader {
  readonly #options: NodeLogReaderOptions;
  readonly #closing: AbortController = new AbortController();

  constructor(options: NodeLogReaderOptions) {
    this.#options = options;
    // As many as there are who wait.
    setMaxListeners(0, this.#closing.signal);
  }

  bounds(): Promise<LogBounds> {
    return this.#use((reader) => reader.bounds());
  }

  tables(): Promise<readonly TableVersion[]> {
    return this.#use((reader) => reader.tables());
  }

  count(versions: ReadonlySet<number>, epoch?: number): Promise<number> {
    return this.#use((reader) => reader.count(versions, epoch), versions);
  }

  walSample(xmin: bigint): Promise<WalSampleAnswer> {
    return this.#use((reader) => reader.walSample(xmin));
  }

  read(request: ReadForward): Promise<ChangeBatch> {
    return this.#use((reader) => reader.read(request), request.tables);
  }

  readBackward(request: ReadBackward): ReturnType<LogReader['readBackward']> {
    return this.#use((reader) => reader.readBackward(request), request.tables);
  }

  async changed(beyond: ChangePosition, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#closing.signal.aborted) {
      const isOver = await this.#waitWhileHere(beyond, signal);
      if (isOver) return;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#options.local.close(), this.#options.remote?.close()]);
  }

  /** False when another node has the log now, or nobody can be waited on. */
  async #waitWhileHere(beyond: ChangePosition, signal: AbortSignal): Promise<boolean> {
    const turn = new AbortController();
    const end = (): void => turn.abort();
    let isMoved = false;
    const unlisten = this.#options.ownership.onChange(() => {
      isMoved = true;
      end();
    });
    signal.addEventListener('abort', end);
    this.#closing.signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      const reader = await this.#reader().catch(() => undefined);
      if (reader !== undefined) await reader.changed(beyond, turn.signal);
      else {
        isMoved = true;
        await delay(ownershipAgeMaxMs, undefined, { signal: turn.signal }).catch(() => undefined);
      }
      return !isMoved;
    } finally {
      unlisten();
      signal.removeEventListener('abort', end);
      this.#closing.signal.removeEventListener('abort', end);
    }
  }

  /**
   * What fails because the log is elsewhere is asked once more, where the catalog says it is by
   * then. That is compared with where it was asked and not with what is known after it failed,
   * which may have been learned meanwhile.
   */
  async #use<T>(use: (reader: LogReader) => Promise<T>, tables: TableFilter = 'all'): Promise<T> {
    const { ownership } = this.#options;
    const asked = await ownership.known();
    try {
      return await use(this.#choose(asked, tables));
    } catch (error) {
      if (!(error instanceof PgError && error.code === '08006')) throw error;
      const now = await ownership.latest();
      if (asked.kind === now.kind && JSON.stringify(asked) === JSON.stringify(now)) throw error;
      return use(this.#choose(now, tables));
    }
  }

  async #reader(): Promise<LogReader> {
    return this.#choose(await this.#options.ownership.known(), 'all');
  }

  /** @throws PgError 55000, 08006 */
  #choose(known: KnownOwner, tables: TableFilter): LogReader {
    const { database, node, local, hasLocal, remote } = this.#options;
    switch (known.kind) {
      case 'nobody':
        throw noLog(database);
      case 'unknown':
        if (!hasLocal()) throw logOwnerUnknown(database, known.cause);
        break;
      case 'owner':
        if (known.node !== node) {
          if (remote === undefined) throw logMoved();
          return remote;
        }
        break;
    }
    if (tables !== 'all' && !isOfLocal(tables)) throw logMoved();
    return local;
  }
}

/** Ids that the log of another node gave mean other tables here. */
function isOfLocal(tables: ReadonlySet<number>): boolean {
  for (const version of tables) if (version >= versionsOfOneLog) return false;
  return true;
}
