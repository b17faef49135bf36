import type { Change, TableVersion, Tuple } from '../contracts/change.ts';
import { snapshotKeyUnknown } from '../core/errors/snapshot.ts';
import type { KeyValue, TableKey } from './snapshot-key.ts';
import { displayName } from './snapshot-table.ts';

/** The key of the row before and after a change; the same one twice when it stayed. */
export type ChangeKeys = {
  readonly before: KeyValue | undefined;
  readonly after: KeyValue | undefined;
};

/** Finds the keys in changes. A column is known by its name, which a rename would change. */
export class ChangeKeyReader {
  readonly #key: TableKey;
  readonly #indexes: Map<number, readonly number[]> = new Map();

  constructor(key: TableKey) {
    this.#key = key;
  }

  keysOf({ operation, table, before, after }: Change): ChangeKeys {
    if (table === undefined) throw new TypeError('a change of a row has a table');
    if (operation === 'INSERT') return { before: undefined, after: this.#read(table, after) };
    // Without an old row the key did not change.
    const old = this.#read(table, before ?? after, before === undefined ? undefined : after);
    if (operation === 'DELETE') return { before: old, after: undefined };
    // An unchanged TOAST value may be part of a key; it is what it was.
    return { before: old, after: this.#read(table, after, before) };
  }

  #read(table: TableVersion, tuple: Tuple | undefined, otherwise?: Tuple): KeyValue {
    return this.#indexesIn(table).map((index, position) => {
      const value = tuple?.[index] ?? otherwise?.[index];
      if (value === undefined || value === null) throw this.#unknown(table, position);
      return value;
    });
  }

  #indexesIn(table: TableVersion): readonly number[] {
    const known = this.#indexes.get(table.id);
    if (known !== undefined) return known;
    const indexes = this.#key.columns.map(({ name }, position) => {
      const index = table.columns.findIndex((column) => column.name === name);
      if (index < 0) throw this.#unknown(table, position);
      return index;
    });
    this.#indexes.set(table.id, indexes);
    return indexes;
  }

  #unknown(table: TableVersion, position: number): Error {
    return snapshotKeyUnknown(displayName(table), this.#key.columns[position]?.name ?? '');
  }
}
