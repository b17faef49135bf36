import type { TableVersion } from '../../contracts/change.ts';
import type { LogBounds, LogReader } from '../../contracts/log-reader.ts';
import { redisLookIntervalMs } from '../../core/limits.ts';
import { printTableName, type TableName } from '../../protocol/streams/stream-key.ts';
import { delay } from './delay.ts';

/** What somebody waits for: a change of one of these tables, `all` of any. */
export type AwaitedTables = readonly (TableName | 'all')[];

type Waiter = {
  readonly tables: ReadonlyMap<string, TableName | 'all'>;
  readonly epoch: number;
  /** Up to where it is known that there is nothing. */
  end: bigint;
  readonly wake: () => void;
};

const watches = new WeakMap<LogReader, LogWatch>();

/**
 * Looks at a log for all who wait for it, however many these are: one question per table when the
 * log grows, and only those are woken for whom there may be something.
 */
export class LogWatch {
  readonly #reader: LogReader;
  readonly #waiters: Set<Waiter> = new Set();
  /** Where the last look began and ended. */
  #looked: { readonly epoch: number; readonly end: bigint } | undefined;
  #isWatching = false;
  #nobodyWaits = new AbortController();

  private constructor(reader: LogReader) {
    this.#reader = reader;
  }

  static of(reader: LogReader): LogWatch {
    const found = watches.get(reader) ?? new LogWatch(reader);
    watches.set(reader, found);
    return found;
  }

  /**
   * Resolves when there may be a change behind these bounds, an epoch began, the log was trimmed
   * beyond them or does not answer, or when the signal aborts. Never rejects: who looks again sees.
   */
  async wait(tables: AwaitedTables, bounds: LogBounds, signal: AbortSignal): Promise<void> {
    const looked = this.#looked;
    // It was looked for others at what this one has not seen.
    const isLate =
      this.#isWatching &&
      looked !== undefined &&
      (looked.epoch !== bounds.epoch || looked.end > bounds.endLsn);
    if (signal.aborted || isLate) return;
    await new Promise<void>((resolve) => {
      const waiter: Waiter = {
        tables: new Map(tables.map((table) => [keyOf(table), table])),
        epoch: bounds.epoch,
        end: bounds.endLsn,
        wake: () => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', waiter.wake);
          if (this.#waiters.size === 0) this.#nobodyWaits.abort();
          resolve();
        },
      };
      signal.addEventListener('abort', waiter.wake);
      this.#waiters.add(waiter);
      if (!this.#isWatching) void this.#watch();
    });
  }

  async #watch(): Promise<void> {
    this.#isWatching = true;
    while (this.#waiters.size > 0) {
      this.#nobodyWaits = new AbortController();
      const { signal } = this.#nobodyWaits;
      // A log that is written without end must not be looked at without end.
      const pause = delay(redisLookIntervalMs, signal);
      try {
        const end = await this.#look();
        if (end !== undefined) await this.#reader.changed(end, signal);
      } catch {
        for (const { wake } of [...this.#waiters]) wake();
      }
      await pause;
    }
    this.#isWatching = false;
    this.#looked = undefined;
  }

  /** Wakes for whom there is something; returns where the log ends, unless it has grown since. */
  async #look() {
    const bounds = await this.#reader.bounds();
    this.#looked = { epoch: bounds.epoch, end: bounds.endLsn };
    const behind: Waiter[] = [];
    for (const waiter of [...this.#waiters]) {
      if (waiter.epoch !== bounds.epoch || isTrimmed(bounds, waiter.end)) waiter.wake();
      else if (waiter.end < bounds.endLsn) behind.push(waiter);
    }
    if (behind.length > 0) await this.#lookFor(behind, bounds);
    return this.#endBehind(bounds);
  }

  async #lookFor(waiters: readonly Waiter[], bounds: LogBounds): Promise<void> {
    const versions = await this.#reader.tables();
    const from = waiters.reduce((least, { end }) => (end < least ? end : least), bounds.endLsn);
    const wanted = new Map(waiters.flatMap(({ tables }) => [...tables]));
    const found = new Set<string>();
    for (const [key, table] of wanted) {
      if (await this.#hasChange(table, versions, { epoch: bounds.epoch, lsn: from }))
        found.add(key);
    }
    for (const waiter of waiters) {
      if ([...waiter.tables.keys()].some((key) => found.has(key))) waiter.wake();
      else waiter.end = bounds.endLsn;
    }
  }

  async #hasChange(
    table: TableName | 'all',
    versions: readonly TableVersion[],
    from: { readonly epoch: number; readonly lsn: bigint },
  ): Promise<boolean> {
    const ids = new Set<number>();
    for (const { id, schema, name } of versions) {
      if (table === 'all' || (schema === table.schema && name === table.name)) ids.add(id);
    }
    if (ids.size === 0) return false;
    const { changes } = await this.#reader.read({
      from: { kind: 'at', ...from },
      tables: table === 'all' ? 'all' : ids,
      schemaChanges: false,
      changesMax: 1,
    });
    return changes.length > 0;
  }

  /** Undefined when there is something behind the bounds that was not looked at. */
  async #endBehind({ epoch, endLsn }: LogBounds) {
    const { changes, through, isAtEnd } = await this.#reader.read({
      from: { kind: 'at', epoch, lsn: endLsn },
      tables: 'all',
      schemaChanges: false,
      changesMax: 1,
    });
    return changes.length === 0 && isAtEnd && through.epoch === epoch ? through : undefined;
  }
}

function isTrimmed({ epoch, epochs, startLsn }: LogBounds, lsn: bigint): boolean {
  return epochs[0]?.epoch === epoch && lsn < startLsn;
}

function keyOf(table: TableName | 'all'): string {
  return table === 'all' ? '' : printTableName(table);
}
