import type { LogBounds, LogReader } from '../../contracts/log-reader.ts';
import {
  redisLookIntervalMs,
  redisReadBytesMax,
  redisReadEntriesMax,
  redisTimerMsMax,
} from '../../core/limits.ts';
import {
  compareStreamIds,
  firstStreamId,
  lastStreamId,
  nextStreamId,
  type StreamId,
} from '../../protocol/streams/stream-id.ts';
import type { StreamRef } from '../../protocol/streams/stream-key.ts';
import type { AccessByDatabase, RedisServices } from '../services.ts';
import { collectBackward, collectForward } from './collect.ts';
import { delay } from './delay.ts';
import { type AwaitedTables, LogWatch } from './log-watch.ts';
import {
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

type LookedAt = {
  readonly reader: LogReader;
  readonly bounds: LogBounds;
  readonly tables: AwaitedTables[number][];
};

/** XREAD, which may be asked several times for what comes after. */
export class StreamsReading {
  readonly #cursors: readonly Cursor[];
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #services: RedisServices;
  readonly #access: AccessByDatabase;
  /** The databases of the last look, by name. */
  readonly #looked: Map<string, LookedAt> = new Map();

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
    this.#looked.clear();
    for (const cursor of this.#cursors) {
      const entries = await this.#lookAt(cursor);
      if (entries.length > 0) found.push({ key: cursor.key, entries });
    }
    return found;
  }

  async #lookAt(cursor: Cursor): Promise<readonly Buffer[]> {
    const { ref } = cursor;
    const database = openDatabase(this.#services.databases(), ref.database);
    const view = await viewStream(ref, database);
    this.#noteLook(view);
    const permitted = await permitView(view, this.#access);
    const epoch = requireEpoch(view);
    if (epoch === undefined) {
      // All that it will have is new.
      if (cursor.start.kind === 'new') cursor.start = { kind: 'at', low: firstStreamId };
      return [];
    }
    const { printEntry } = this.#services;
    if (cursor.start.kind === 'last') {
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
    if (low !== undefined) {
      requireFrom(epoch, low);
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
    cursor.start = { kind: 'at', low: laterOf(low, epoch.end) };
    return [];
  }

  #noteLook({ ref, database, bounds }: StreamView): void {
    const { name, reader } = database;
    // The earliest bounds, so that nothing which came between two streams goes unnoticed.
    const looked = this.#looked.get(name) ?? { reader, bounds, tables: [] };
    // Of an epoch that has not begun there is nothing before an epoch begins, which is told to all.
    if (ref.epoch === bounds.epoch) looked.tables.push(ref.table ?? 'all');
    this.#looked.set(name, looked);
  }

  /**
   * Resolves when there may be more than at the last look, or when the signal aborts. To be called
   * after a look that found nothing.
   */
  async waitForMore(signal: AbortSignal): Promise<void> {
    // By hand, since a long-lived signal keeps something of every AbortSignal.any made of it.
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    const waits = [...this.#looked.values()].map(({ reader, bounds, tables }) =>
      LogWatch.of(reader).wait(tables, bounds, stop.signal),
    );
    // Of keys that no stream can have nothing ever comes.
    if (waits.length === 0) waits.push(delay(redisTimerMsMax, stop.signal));
    const pause = delay(redisLookIntervalMs, signal);
    await Promise.race(waits);
    signal.removeEventListener('abort', abort);
    abort();
    await pause;
  }
}

/** A client may wait behind an id that nothing has reached yet. */
function laterOf(low: Low, end: Low): Low {
  if (low === undefined || end === undefined) return low;
  return compareStreamIds(low, end) < 0 ? end : low;
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
