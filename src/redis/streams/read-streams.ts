import {
  redisBatchChangesMax,
  redisLookIntervalMs,
  redisReadBytesMax,
  redisReadEntriesMax,
} from '../../core/limits.ts';
import type { AccessByDatabase, RedisServices } from '../services.ts';
import { collectBackward, collectForward, readFrom } from './collect.ts';
import { firstStreamId, lastStreamId, nextStreamId, type StreamId } from './stream-id.ts';
import type { StreamRef } from './stream-key.ts';
import {
  type OpenDatabase,
  openDatabase,
  permitView,
  requireEpoch,
  requireFrom,
  requireNoGap,
  type StreamView,
  viewStream,
} from './stream-view.ts';

export type StreamStart =
  | { readonly kind: 'behind'; readonly id: StreamId }
  /** `$`: what comes from now on. */
  | { readonly kind: 'new' }
  /** `+`: the last entry there is, or else what comes. */
  | { readonly kind: 'last' };

export type ReadStreamsRequest = {
  readonly streams: readonly {
    readonly key: Buffer;
    /** Undefined for a key that no stream can have. */
    readonly ref: StreamRef | undefined;
    readonly start: StreamStart;
  }[];
  /** Infinity without COUNT. */
  readonly countMax: number;
};

export type StreamEntries = { readonly key: Buffer; readonly entries: readonly Buffer[] };

/** Undefined: nothing comes of it, it is the end of the streams there are. */
type Low = StreamId | undefined;

type Cursor = {
  readonly key: Buffer;
  readonly ref: StreamRef;
  start: StreamStart | { readonly kind: 'at'; readonly low: Low };
};

/** XREAD, which may be asked several times for what comes after. */
export class StreamsReading {
  readonly #cursors: readonly Cursor[];
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #services: RedisServices;
  readonly #access: AccessByDatabase;
  #isFirstLook = true;
  /** Up to where the logs have been looked through, by database. */
  #looked = new Map<string, StreamView>();

  constructor(request: ReadStreamsRequest, services: RedisServices, access: AccessByDatabase) {
    this.#cursors = request.streams.flatMap(({ key, ref, start }) =>
      ref === undefined ? [] : [{ key, ref, start }],
    );
    this.#countMax = Math.min(request.countMax, redisReadEntriesMax);
    this.#bytesMax = redisReadBytesMax / Math.max(1, this.#cursors.length);
    this.#services = services;
    this.#access = access;
  }

  /**
   * What there is now. Rejects with a PgError at the end of an epoch even when another stream has
   * entries: a busy stream would hide it for ever.
   */
  async look(): Promise<readonly StreamEntries[]> {
    const found: StreamEntries[] = [];
    this.#looked = new Map();
    for (const cursor of this.#cursors) {
      const entries = await this.#lookAt(cursor);
      if (entries.length > 0) found.push({ key: cursor.key, entries });
    }
    this.#isFirstLook = false;
    return found;
  }

  async #lookAt(cursor: Cursor): Promise<readonly Buffer[]> {
    const { ref } = cursor;
    const database = openDatabase(this.#services.databases(), ref.database);
    const view = await viewStream(ref, database);
    // The earliest one, so that nothing which came between two streams goes unnoticed.
    if (!this.#looked.has(database.name)) this.#looked.set(database.name, view);
    // Rights cost a query: of a client that was woken they are asked when there is something.
    const isWanted = this.#isFirstLook || (await mayHaveEntries(view, cursor));
    const permitted = isWanted ? await permitView(view, this.#access) : undefined;
    const epoch = requireEpoch(view);
    if (epoch === undefined) {
      // All that it will have is new.
      if (cursor.start.kind === 'new') cursor.start = { kind: 'at', low: firstStreamId };
      return [];
    }
    const { printEntry } = this.#services;
    if (permitted !== undefined && cursor.start.kind === 'last') {
      const wanted = {
        low: firstStreamId,
        high: lastStreamId,
        countMax: 1,
        bytesMax: this.#bytesMax,
      };
      const { entries } = await collectBackward(permitted, epoch, wanted, printEntry);
      if (entries.length > 0) return entries;
    }
    const low = lowOf(cursor.start, epoch.end);
    if (low !== undefined) requireFrom(epoch, low);
    if (permitted !== undefined && low !== undefined) {
      const wanted = {
        low,
        high: lastStreamId,
        countMax: this.#countMax,
        bytesMax: this.#bytesMax,
      };
      const { entries } = await collectForward(permitted, epoch, wanted, printEntry);
      if (entries.length > 0) return entries;
    }
    requireNoGap(view, epoch);
    cursor.start = { kind: 'at', low: low === undefined ? undefined : epoch.end };
    return [];
  }

  /**
   * Resolves when there may be more than at the last look, or when the signal aborts. To be called
   * after a look that found nothing.
   */
  async waitForMore(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const all = AbortSignal.any([signal, stop.signal]);
    const waits = [...this.#looked.values()].map((view) => waitBeyond(view, all));
    if (waits.length === 0) waits.push(aborted(all));
    // A log that is written without end must not keep a client looking without end.
    const pause = delay(redisLookIntervalMs, signal);
    try {
      await Promise.race(waits);
    } finally {
      stop.abort();
    }
    await pause;
  }
}

function lowOf(start: Cursor['start'], end: StreamId | undefined): Low {
  switch (start.kind) {
    case 'at':
      return start.low;
    case 'behind':
      return nextStreamId(start.id);
    default:
      // Of an epoch that has ended nothing is new.
      return end;
  }
}

/** Whether there is a change behind the cursor, be it one that the client may not see. */
async function mayHaveEntries(view: StreamView, { start }: Cursor): Promise<boolean> {
  const { epoch, versions, ref } = view;
  if (epoch.kind !== 'held') return false;
  if (start.kind === 'last') return true;
  const low = lowOf(start, epoch.end);
  if (low === undefined || versions.length === 0) return false;
  const { changes } = await view.database.reader.read({
    from: readFrom(ref.epoch, epoch, low),
    tables: ref.table === undefined ? 'all' : new Set(versions.map(({ id }) => id)),
    schemaChanges: false,
    changesMax: 1,
  });
  return changes.length > 0;
}

/** Resolves when the log goes beyond what a view saw of it, or when the signal aborts. */
async function waitBeyond(view: StreamView, signal: AbortSignal): Promise<void> {
  const { database, bounds } = view;
  const through = await endOf(database, bounds);
  if (through !== undefined && !signal.aborted) await database.reader.changed(through, signal);
}

/** Where the log ends; undefined when it goes on behind these bounds. */
async function endOf({ reader }: OpenDatabase, bounds: StreamView['bounds']) {
  const { changes, through, isAtEnd } = await reader.read({
    from: { kind: 'at', epoch: bounds.epoch, lsn: bounds.endLsn },
    tables: 'all',
    schemaChanges: false,
    changesMax: redisBatchChangesMax,
  });
  const isSame = changes.length === 0 && isAtEnd && through.epoch === bounds.epoch;
  return isSame ? through : undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}
