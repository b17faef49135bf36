import type { Change } from '../../contracts/change.ts';
import type { ReadForward } from '../../contracts/log-reader.ts';
import { redisBatchChangesMax } from '../../core/limits.ts';
import { idOfChange } from '../../protocol/streams/entry-fields.ts';
import {
  compareStreamIds,
  previousStreamId,
  type StreamId,
} from '../../protocol/streams/stream-id.ts';
import type { EntryPrinter } from '../services.ts';
import { encodeEntry } from './entry.ts';
import { type HeldEpoch, type PermittedView, positionOf } from './stream-view.ts';

/** What is wanted of a stream; both ends are included. */
export type Wanted = {
  readonly low: StreamId;
  readonly high: StreamId;
  readonly countMax: number;
  /** The first entry is taken whatever its size. */
  readonly bytesMax: number;
};

export type Collected = {
  /** One entry each, in the order they were read. */
  readonly entries: readonly Buffer[];
  /** Why it is not more: that was all, or a limit was reached. */
  readonly ended: 'all' | 'count' | 'bytes';
};

/** Entries while there is room for them. */
class Entries {
  readonly entries: Buffer[] = [];
  readonly #view: PermittedView;
  readonly #wanted: Wanted;
  readonly #print: EntryPrinter;
  #bytes = 0;

  constructor(view: PermittedView, wanted: Wanted, print: EntryPrinter) {
    this.#view = view;
    this.#wanted = wanted;
    this.#print = print;
  }

  /** How many changes to ask for: no more than may fit, as far as one can tell by those so far. */
  get batchMax(): number {
    const missing = this.#wanted.countMax - this.entries.length;
    const average = this.#bytes / Math.max(1, this.entries.length);
    const room = this.entries.length === 0 ? 16 : (this.#wanted.bytesMax - this.#bytes) / average;
    return Math.max(1, Math.min(missing, redisBatchChangesMax, Math.ceil(room)));
  }

  /** Returns why no more may be added, if so. */
  add(change: Change): 'count' | 'bytes' | undefined {
    const rights = change.table && this.#view.rights.get(change.table.id);
    if (rights === undefined) return undefined;
    if (this.entries.length >= this.#wanted.countMax) return 'count';
    const entry = encodeEntry(change, rights, this.#print);
    if (this.entries.length > 0 && this.#bytes + entry.length > this.#wanted.bytesMax) {
      return 'bytes';
    }
    this.#bytes += entry.length;
    this.entries.push(entry);
    return this.entries.length === this.#wanted.countMax ? 'count' : undefined;
  }
}

/** Oldest first. Does not look whether the log still begins where it is read from. */
export async function collectForward(
  view: PermittedView,
  epoch: HeldEpoch,
  wanted: Wanted,
  print: EntryPrinter,
): Promise<Collected> {
  const found = new Entries(view, wanted, print);
  if (view.permitted.size === 0) return { entries: found.entries, ended: 'all' };
  let from = readFrom(view.ref.epoch, epoch, wanted.low);
  for (;;) {
    const batch = await view.database.reader.read({
      from,
      tables: view.permitted,
      schemaChanges: false,
      changesMax: found.batchMax,
    });
    for (const change of batch.changes) {
      if (!isWithin(change, view, epoch, wanted)) return { entries: found.entries, ended: 'all' };
      const full = found.add(change);
      if (full !== undefined) return { entries: found.entries, ended: full };
    }
    const { through } = batch;
    const isBehindHigh = through.lsn > wanted.high.lsn;
    if (batch.isAtEnd || isBehindHigh || isPast(through, view, epoch)) {
      return { entries: found.entries, ended: 'all' };
    }
    from = { kind: 'after', position: through };
  }
}

/** Where to read from so as to have this id, or the first one there is behind it. */
function readFrom(number: number, epoch: HeldEpoch, id: StreamId): ReadForward['from'] {
  const low = compareStreamIds(id, epoch.start) < 0 ? epoch.start : id;
  if (low.seq === 0n) return { kind: 'at', epoch: number, lsn: low.lsn };
  return { kind: 'after', position: positionOf(number, previousStreamId(low)!) };
}

function isWithin(
  change: Change,
  view: PermittedView,
  epoch: HeldEpoch,
  { high }: Wanted,
): boolean {
  const id = idOfChange(change);
  return !isPast(change.position, view, epoch) && compareStreamIds(id, high) <= 0;
}

/** Behind what the view knows all table versions of. */
function isPast(position: Change['position'], { ref }: PermittedView, { end }: HeldEpoch): boolean {
  if (position.epoch !== ref.epoch) return position.epoch > ref.epoch;
  return end !== undefined && position.lsn >= end.lsn;
}

/** Newest first. Where the log begins may have moved meanwhile: `isAtStart` asks to look. */
export async function collectBackward(
  view: PermittedView,
  epoch: HeldEpoch,
  wanted: Wanted,
  print: EntryPrinter,
): Promise<Collected & { readonly isAtStart: boolean }> {
  const found = new Entries(view, wanted, print);
  const tables = view.permitted;
  if (tables.size === 0) return { entries: found.entries, ended: 'all', isAtStart: true };
  const isHighKnown = epoch.end === undefined || compareStreamIds(wanted.high, epoch.end) < 0;
  let before = isHighKnown
    ? { ...positionOf(view.ref.epoch, wanted.high), seq: positionOf(0, wanted.high).seq + 1 }
    : positionOf(view.ref.epoch, epoch.end!);
  for (;;) {
    const changesMax = found.batchMax;
    const batch = await view.database.reader.readBackward({
      before,
      tables,
      schemaChanges: false,
      changesMax,
    });
    for (const change of batch.changes.toReversed()) {
      const isBefore =
        change.position.epoch < view.ref.epoch ||
        compareStreamIds(idOfChange(change), wanted.low) < 0;
      if (isBefore) return { entries: found.entries, ended: 'all', isAtStart: false };
      const full = found.add(change);
      if (full !== undefined) return { entries: found.entries, ended: full, isAtStart: false };
    }
    if (batch.isAtStart) return { entries: found.entries, ended: 'all', isAtStart: true };
    before = batch.before;
    if (before.epoch < view.ref.epoch) {
      return { entries: found.entries, ended: 'all', isAtStart: true };
    }
  }
}
