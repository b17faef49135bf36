import type { Change, ChangePosition } from '../contracts/change.ts';
import { snapshotOfOtherEpoch } from '../core/errors/snapshot.ts';
import type { Lsn } from '../core/lsn.ts';
import type { TextSession } from '../postgres/text-session.ts';
import { ChangeKeyReader, type ChangeKeys } from './change-key.ts';
import { type KeyPlace, placeKeys } from './place-keys.ts';
import type { KeyValue } from './snapshot-key.ts';
import { isRead, type SnapshotChunk, type SnapshotState } from './snapshot-state.ts';
import { displayName } from './snapshot-table.ts';
import { SnapshotVisibility } from './snapshot-visibility.ts';

/** What to do with a change of a table whose snapshot was read. */
export type Verdict =
  | { readonly kind: 'apply' }
  /** It was there already when the rows were read. */
  | { readonly kind: 'skip' }
  /** An update of which only one half is new: remove the old row, */
  | { readonly kind: 'apply-before' }
  /** or add the new row, all of whose values are known. */
  | { readonly kind: 'apply-after' }
  /** Of a TRUNCATE: remove the rows with keys up to this one (null: all), but for these keys. */
  | {
      readonly kind: 'truncate-part';
      readonly upTo: KeyValue | null;
      readonly except: readonly KeyValue[];
    };

/** Why no more changes have a verdict: what comes first. */
export type Stop =
  /** Rows of this change are in a chunk that must be read first. */
  | { readonly kind: 'wait' }
  /**
   * Remove the row of the old key, if there is one, and `readPoint` the new key: its row takes the
   * place of what there is of the key. Then the change is dealt with.
   */
  | { readonly kind: 'reread'; readonly old: KeyValue | undefined; readonly key: KeyValue }
  /** Rows changed without changes: everything has to be read anew. */
  | { readonly kind: 'restart' };

export type Judgement = {
  /** For the first changes, in order; for all when there is no stop. */
  readonly verdicts: readonly Verdict[];
  readonly stop: Stop | undefined;
};

const apply: Verdict = { kind: 'apply' };
const skip: Verdict = { kind: 'skip' };
const wait: Stop = { kind: 'wait' };

/** A change of a row with its keys and where they belong. */
type PlacedChange = {
  readonly change: Change;
  readonly keys: ChangeKeys;
  readonly before: KeyPlace | undefined;
  readonly after: KeyPlace | undefined;
};

/** `again`: not seen by the first attempt at its chunk, but by the one that was read to the end. */
type HalfVerdict = 'apply' | 'again' | 'skip' | 'wait';

/**
 * Judges the changes of one table by what its chunks have seen. Holds a state that does not change;
 * after a chunk or a point was read, make another one.
 */
export class SnapshotMerge {
  readonly state: SnapshotState;
  readonly #chunks: readonly ReadVisibility[];
  /** Of the attempt at the next chunk whose rows may be out. */
  readonly #begun: SnapshotVisibility | undefined;
  readonly #points: readonly SnapshotVisibility[];
  readonly #isRead: boolean;
  readonly #keys: ChangeKeyReader | undefined;

  constructor(state: SnapshotState) {
    this.state = state;
    this.#chunks = state.chunks.map(visibilityOf);
    this.#begun = state.begun === null ? undefined : visibilityOf(state.begun).first;
    this.#points = state.points.map(({ snapshot }) => SnapshotVisibility.parse(snapshot));
    this.#isRead = isRead(state);
    const { key } = state.table;
    this.#keys = key === null ? undefined : new ChangeKeyReader(key);
  }

  /** From where the log is to be read; undefined before the first chunk. */
  get from(): { readonly epoch: number; readonly lsn: Lsn } | undefined {
    const { start, epoch } = this.state;
    return start === null ? undefined : { epoch, lsn: BigInt(start.lsn) };
  }

  /** Whether this change and all behind it are simply applied: the state can be forgotten. */
  isOver(position: ChangePosition): boolean {
    const { endLsn } = this.state;
    return this.#isRead && endLsn !== null && position.lsn >= BigInt(endLsn);
  }

  /**
   * Judges changes of the table, schema changes among them, in the order of the log. The session is
   * asked only about changes that some of the chunks have seen and others have not.
   */
  async judge(session: TextSession, changes: readonly Change[]): Promise<Judgement> {
    const placed = await this.#place(session, changes);
    const verdicts: Verdict[] = [];
    for (const change of changes) {
      const verdict = this.#judgeOne(change, placed.get(change));
      if (isStop(verdict)) return { verdicts, stop: verdict };
      verdicts.push(verdict);
    }
    return { verdicts, stop: undefined };
  }

  /** Asks for the places of all keys that need one at once. */
  async #place(
    session: TextSession,
    changes: readonly Change[],
  ): Promise<ReadonlyMap<Change, PlacedChange>> {
    const reader = this.#keys;
    const placed = new Map<Change, PlacedChange>();
    if (reader === undefined || this.#chunks.length === 0) return placed;
    const unclear = changes.filter((change) => isOfRow(change) && !this.#verdictForAll(change));
    const pairs = unclear.map((change) => reader.keysOf(change));
    const keys = pairs.flatMap(({ before, after }) => [before, after]);
    const known = keys.filter((key) => key !== undefined);
    const places = known.length === 0 ? [] : await placeKeys(session, this.state, known);
    let next = 0;
    const take = (key: KeyValue | undefined): KeyPlace | undefined =>
      key === undefined ? undefined : places[next++];
    for (const [index, change] of unclear.entries()) {
      const pair = pairs[index] as ChangeKeys;
      placed.set(change, {
        change,
        keys: pair,
        before: take(pair.before),
        after: take(pair.after),
      });
    }
    return placed;
  }

  #judgeOne(change: Change, placed: PlacedChange | undefined): Verdict | Stop {
    const same = this.#verdictForAll(change);
    if (same !== undefined) return same;
    if (this.#chunks.length === 0) return wait;
    if (change.operation === 'TRUNCATE') return this.#judgeTruncate(change.xid);
    if (change.operation === 'DDL') {
      return change.schemaChange?.rewritesRows === true ? { kind: 'restart' } : apply;
    }
    // Without a key there is one chunk, and it was not seen by that.
    return placed === undefined ? apply : this.#judgeRow(placed);
  }

  /** The verdict when it is the same for every key. */
  #verdictForAll({ position, xid }: Change): Verdict | undefined {
    this.#checkEpoch(position);
    if (this.isOver(position)) return apply;
    // Snapshots are taken one after another, and each sees what those before it saw.
    if (this.#chunks[0]?.first.isVisible(xid) === true) return skip;
    return this.#isRead && !this.#isSeen(xid) ? apply : undefined;
  }

  /** Whether any of the snapshots sees it; then all later ones will. */
  #isSeen(xid: bigint): boolean {
    const lasts = [this.#chunks.at(-1)?.last, this.#points.at(-1)];
    return lasts.some((last) => last?.isVisible(xid) === true);
  }

  /**
   * Whether nothing that is yet to be read needs it. What was seen will be seen by all that is read
   * later; but rows of a chunk that was begun are out as they were before.
   */
  #willBeSeen(xid: bigint): boolean {
    return this.#begun === undefined ? this.#isSeen(xid) : this.#begun.isVisible(xid);
  }

  #judgeRow({ change, keys, before, after }: PlacedChange): Verdict | Stop {
    const old = before && this.#judgeHalf(before, change.xid);
    const now = after && this.#judgeHalf(after, change.xid);
    if (old === 'wait' || now === 'wait') return wait;
    if (old === undefined || now === undefined) return (old ?? now) === 'skip' ? skip : apply;
    if (now === 'skip') return old === 'skip' ? skip : { kind: 'apply-before' };
    // The new row takes the values that are not said from the old one. Is that there?
    const isThere = old === 'apply' || (old === 'again' && sameKey(keys)) || isComplete(change);
    if (!isThere) {
      const gone = old === 'skip' ? undefined : keys.before;
      return { kind: 'reread', old: gone, key: keys.after as KeyValue };
    }
    return old === 'skip' ? { kind: 'apply-after' } : apply;
  }

  #judgeHalf({ chunk, point }: KeyPlace, xid: bigint): HalfVerdict {
    const read = this.#chunks[chunk];
    if (read === undefined) return this.#willBeSeen(xid) ? 'skip' : 'wait';
    const own = point === undefined ? undefined : this.#points[point];
    if (own !== undefined) return own.isVisible(xid) ? 'skip' : 'apply';
    if (read.first.isVisible(xid)) return 'skip';
    return read.last.isVisible(xid) ? 'again' : 'apply';
  }

  #judgeTruncate(xid: bigint): Verdict | Stop {
    if (!this.#willBeSeen(xid)) return wait;
    // Later snapshots see more, so those that do not see it are the first ones.
    const unseen = this.#chunks.findLastIndex(({ first }) => !first.isVisible(xid));
    const except = this.state.points.filter((_, index) => this.#points[index]?.isVisible(xid));
    const upTo = this.state.chunks[unseen]?.upTo ?? null;
    if (upTo === null && except.length === 0) return apply;
    return { kind: 'truncate-part', upTo, except: except.map(({ key }) => key) };
  }

  #checkEpoch({ epoch }: ChangePosition): void {
    if (epoch === this.state.epoch) return;
    throw snapshotOfOtherEpoch(displayName(this.state.table), this.state.epoch, epoch);
  }
}

/** What the first attempt at a chunk saw, and what the one that was read to the end. */
type ReadVisibility = { readonly first: SnapshotVisibility; readonly last: SnapshotVisibility };

function visibilityOf({ snapshot, reread }: SnapshotChunk): ReadVisibility {
  const first = SnapshotVisibility.parse(snapshot);
  return { first, last: reread === null ? first : SnapshotVisibility.parse(reread) };
}

function isOfRow({ operation }: Change): boolean {
  return operation !== 'TRUNCATE' && operation !== 'DDL';
}

function isStop(verdict: Verdict | Stop): verdict is Stop {
  return verdict.kind === 'wait' || verdict.kind === 'reread' || verdict.kind === 'restart';
}

function isComplete({ after }: Change): boolean {
  return after !== undefined && !after.includes(undefined);
}

function sameKey({ before, after }: ChangeKeys): boolean {
  return before?.every((value, index) => value === after?.[index]) === true;
}
