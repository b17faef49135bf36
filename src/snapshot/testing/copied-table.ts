import assert from 'node:assert/strict';
import type { Change, Tuple } from '../../contracts/change.ts';
import type { KeyPlace } from '../place-keys.ts';
import type { KeyValue } from '../snapshot-key.ts';
import type { Verdict } from '../snapshot-merge.ts';
import type { SnapshotState } from '../snapshot-state.ts';

/** Rows by key, as a reader would keep them. */
export class CopiedTable {
  readonly #columns: readonly string[];
  readonly #key: readonly number[] | undefined;
  /** Whether every insert must be new and every other row there. */
  readonly #isStrict: boolean;
  #rows: Map<string, Tuple[]>;

  constructor(state: SnapshotState, isStrict: boolean) {
    this.#columns = state.table.columns.map(({ name }) => name);
    this.#key = state.table.key?.columns.map(({ name }) => this.#columns.indexOf(name));
    this.#isStrict = isStrict;
    this.#rows = new Map();
  }

  clone(): ReadonlyMap<string, Tuple[]> {
    return new Map([...this.#rows].map(([key, rows]) => [key, [...rows]]));
  }

  restore(rows: ReadonlyMap<string, Tuple[]>): void {
    this.#rows = new Map(rows);
  }

  lines(): string[] {
    return [...this.#rows.values()]
      .flat()
      .map((row) => JSON.stringify(row))
      .sort();
  }

  keyOf(row: Tuple): KeyValue {
    return (this.#key ?? row.map((_, index) => index)).map((at) => String(row[at]));
  }

  keys(): readonly KeyValue[] {
    return [...this.#rows.values()].flat().map((row) => this.#key!.map((at) => row[at] as string));
  }

  add(row: Tuple): void {
    const id = this.#idOf(row);
    const present = this.#rows.get(id);
    if (this.#key !== undefined && this.#isStrict) {
      assert.equal(present, undefined, `a row is there twice: ${id}`);
    }
    assert.ok(!row.includes(undefined), `a value is not known: ${JSON.stringify(row)}`);
    this.#rows.set(id, this.#key === undefined ? [...(present ?? []), row] : [row]);
  }

  put(key: KeyValue, row: Tuple | undefined): void {
    this.#rows.delete(JSON.stringify(key));
    if (row !== undefined) this.#rows.set(this.#idOf(row), [row]);
  }

  remove(id: string): Tuple | undefined {
    const rows = this.#rows.get(id);
    if (this.#isStrict) assert.ok(rows, `a row is not there: ${id}`);
    const [removed, ...others] = rows ?? [];
    if (others.length === 0) this.#rows.delete(id);
    else this.#rows.set(id, others);
    return removed;
  }

  /** `places` of all keys, for a TRUNCATE of a part. */
  truncatePart(verdict: Verdict, places: readonly KeyPlace[], state: SnapshotState): void {
    assert.ok(verdict.kind === 'truncate-part');
    const last = state.chunks.findIndex(({ upTo }) => upTo === verdict.upTo);
    for (const [index, key] of this.keys().entries()) {
      const { chunk, point } = places[index] as KeyPlace;
      const own = point === undefined ? undefined : state.points[point]?.key;
      if (chunk <= last && !(own && verdict.except.includes(own))) {
        this.#rows.delete(JSON.stringify(key));
      }
    }
  }

  apply(change: Change, kind: 'apply' | 'apply-before' | 'apply-after'): void {
    const before = this.#inOrder(change, change.before);
    const after = this.#inOrder(change, change.after);
    if (change.operation === 'TRUNCATE') {
      this.#rows.clear();
      return;
    }
    let old: Tuple | undefined;
    if (change.operation !== 'INSERT' && kind !== 'apply-after') {
      old = this.remove(this.#idOf((before ?? after) as Tuple, after));
    }
    if (after === undefined || kind === 'apply-before') return;
    const known = after.map(
      (value, index) => value ?? (value === null ? null : (old ?? before)?.[index]),
    );
    // Of a row that was handed out twice a value may not be there, but then a later change removes
    // the row: what is in the end compared shows none of these.
    this.add(this.#isStrict ? known : known.map((value) => (value === undefined ? '?' : value)));
  }

  #idOf(row: Tuple, otherwise?: Tuple): string {
    const at = this.#key ?? row.map((_, index) => index);
    return JSON.stringify(at.map((index) => row[index] ?? otherwise?.[index]));
  }

  #inOrder({ table }: Change, tuple: Tuple | undefined): Tuple | undefined {
    if (tuple === undefined || table === undefined) return undefined;
    return this.#columns.map((name) => tuple[table.columns.findIndex((c) => c.name === name)]);
  }
}
