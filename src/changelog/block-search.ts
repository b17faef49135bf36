import type { ChangePosition } from '../contracts/change.ts';
import { blockKey, indexKey, readBlockKey } from './format.ts';
import { indexedVersionsMax } from './limits.ts';
import type { LogStore } from './log-store.ts';

export type FoundBlock = {
  readonly epoch: number;
  /** Of the commit of its first transaction. */
  readonly lsn: bigint;
  readonly value: Buffer;
};

/** Finds the blocks that hold changes of some table versions: by the index, when they are few. */
export class BlockSearch {
  readonly #store: LogStore;
  readonly #versions: readonly number[] | undefined;

  constructor(store: LogStore, versions: ReadonlySet<number> | 'all') {
    this.#store = store;
    this.#versions =
      versions === 'all' || versions.size > indexedVersionsMax ? undefined : [...versions];
  }

  /** From the block that holds what follows a position, in order. */
  *forward(after: ChangePosition): Generator<FoundBlock> {
    let key = this.#holding(after);
    for (;;) {
      const found = this.#versions === undefined ? this.#at(key) : this.#nextIndexed(key);
      if (found === undefined) return;
      yield found;
      key = blockKey(found.epoch, found.lsn + 1n);
    }
  }

  /** From the block that holds what is before a position, in reverse order. */
  *backward(before: ChangePosition | undefined): Generator<FoundBlock> {
    let key =
      before === undefined
        ? blockKey(0xffff_ffff, 0xffff_ffff_ffff_ffffn)
        : blockKey(before.epoch, before.lsn);
    for (;;) {
      const found = this.#versions === undefined ? this.#atOrBefore(key) : this.#lastIndexed(key);
      if (found === undefined) return;
      yield found;
      if (found.lsn === 0n) return;
      key = blockKey(found.epoch, found.lsn - 1n);
    }
  }

  #holding(position: ChangePosition): Buffer {
    const found = this.#atOrBefore(blockKey(position.epoch, position.lsn));
    if (found === undefined || found.epoch !== position.epoch) {
      return blockKey(position.epoch, position.lsn);
    }
    return blockKey(found.epoch, found.lsn);
  }

  #at(key: Buffer): FoundBlock | undefined {
    for (const entry of this.#store.blocks.getRange({ start: key, limit: 1 })) {
      return { ...readBlockKey(entry.key), value: entry.value };
    }
    return undefined;
  }

  #atOrBefore(key: Buffer): FoundBlock | undefined {
    for (const entry of this.#store.blocks.getRange({ start: key, limit: 1, reverse: true })) {
      return { ...readBlockKey(entry.key), value: entry.value };
    }
    return undefined;
  }

  #nextIndexed(key: Buffer): FoundBlock | undefined {
    return this.#nearest(key, false);
  }

  #lastIndexed(key: Buffer): FoundBlock | undefined {
    return this.#nearest(key, true);
  }

  /** The nearest block of any of the versions, at the key or beyond it. */
  #nearest(key: Buffer, reverse: boolean): FoundBlock | undefined {
    const { epoch, lsn } = readBlockKey(key);
    let nearest: Buffer | undefined;
    for (const version of this.#versions ?? []) {
      const start = indexKey(version, epoch, lsn);
      const end = reverse ? indexKey(version, 0, 0n) : indexKey(version + 1, 0, 0n);
      for (const found of this.#store.index.getKeys({ start, end, limit: 1, reverse })) {
        const block = Buffer.from(found.subarray(4));
        const order = nearest === undefined ? -1 : Buffer.compare(block, nearest);
        if (reverse ? order > 0 || nearest === undefined : order < 0) nearest = block;
      }
    }
    const value = nearest === undefined ? undefined : this.#store.blocks.get(nearest);
    if (nearest === undefined || value === undefined) return undefined;
    return { ...readBlockKey(nearest), value };
  }
}

/** Changes of the versions in all of the log, or in one epoch. */
export function countChanges(
  store: LogStore,
  versions: ReadonlySet<number>,
  epoch: number | undefined,
): number {
  let count = 0;
  for (const version of versions) {
    const start = indexKey(version, epoch ?? 0, 0n);
    const end =
      epoch === undefined ? indexKey(version + 1, 0, 0n) : indexKey(version, epoch + 1, 0n);
    for (const { value } of store.index.getRange({ start, end })) count += value.readUInt32BE(0);
  }
  return count;
}
