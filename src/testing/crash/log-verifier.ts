import { setTimeout as delay } from 'node:timers/promises';
import { LocalLogReader } from '../../changelog/local-log-reader.ts';
import { type Change, type ChangePosition, comparePositions } from '../../contracts/change.ts';
import { withClient } from '../../postgres/client.ts';
import { printChange, printPlace } from './printed-change.ts';
import type { RecordedSlot, RecordedTransaction } from './recorded-slot.ts';
import { ReplayedTables } from './replayed-tables.ts';

const changesPerRead = 2_000;
const complaintsMax = 4;

export type LogVerifierOptions = {
  readonly directory: string;
  readonly url: () => string;
  readonly recorded: RecordedSlot;
  /** Where the first transaction that counts begins. */
  readonly fromLsn: bigint;
  /** How long the log may take to reach what the server has, ms. */
  readonly patienceMs: number;
};

/**
 * Compares a change log with what a second slot, the tables and the audit table say: each committed
 * change once, in order, as it was.
 */
export class LogVerifier {
  readonly #options: LogVerifierOptions;
  readonly #replayed: ReplayedTables = new ReplayedTables();
  readonly #recorded: RecordedTransaction[] = [];
  /** Changes of the log that are not compared yet; whole transactions but for the last. */
  #logged: Change[] = [];
  #position: ChangePosition | undefined;
  #recordedLsn = 0n;
  /** Of the audit rows in the log: number, xid and how many changes they announce. */
  readonly #audited: Map<string, string> = new Map();
  readonly complaints: string[] = [];
  transactions = 0;
  changes = 0;

  constructor(options: LogVerifierOptions) {
    this.#options = options;
  }

  /** While others write: what the second slot has now must be in the log soon. */
  async follow(): Promise<void> {
    for (const transaction of await this.#options.recorded.read()) {
      this.#recorded.push(transaction);
      this.#recordedLsn = transaction.commitLsn;
    }
    const end = performance.now() + this.#options.patienceMs;
    for (;;) {
      const isAtEnd = await this.#read();
      this.#compare();
      if (this.#recorded.length === 0 || this.complaints.length > 0) return;
      if (isAtEnd && performance.now() > end) {
        this.#complain(`missing: ${this.#recorded.length} transactions, ${this.#where()}`);
        return;
      }
      if (isAtEnd) await delay(10);
    }
  }

  /** While nobody writes: everything, the tables too. */
  async finish(): Promise<readonly string[]> {
    await this.follow();
    if (this.complaints.length > 0) return this.complaints;
    this.#compare(true);
    for (const change of this.#logged) this.#complain(`nobody committed ${printPlace(change)}`);
    await withClient(this.#options.url(), async (client) => {
      const { rows } = await client.query<{ tx: string; xid: string; changes: number | null }>(
        'SELECT tx, xid, changes FROM audit',
      );
      for (const { tx, xid } of rows) {
        const logged = this.#audited.get(tx);
        if (logged !== xid)
          this.#complain(`transaction ${tx} has xid ${xid}, in the log ${logged}`);
        this.#audited.delete(tx);
      }
      for (const tx of this.#audited.keys()) this.#complain(`transaction ${tx} did not commit`);
      for (const { tx, xid } of rows) this.#audited.set(tx, xid);
      for (const what of this.#replayed.complaints) this.#complain(what);
      for (const what of await this.#replayed.compare(client)) this.#complain(what);
    });
    await this.#readAgain();
    return this.complaints;
  }

  /** Once more from the start: ids grow, and nothing has come or gone. */
  async #readAgain(): Promise<void> {
    const reader = this.#open();
    try {
      let from: Parameters<typeof reader.read>[0]['from'] = { kind: 'start' };
      let last: ChangePosition | undefined;
      let changes = 0;
      for (;;) {
        const batch = await reader.read({
          from,
          tables: 'all',
          schemaChanges: true,
          changesMax: changesPerRead,
        });
        for (const { position } of batch.changes) {
          if (last !== undefined && comparePositions(position, last) <= 0) {
            this.#complain(`ids do not grow at ${position.lsn}`);
          }
          last = position;
          if (position.lsn >= this.#options.fromLsn) changes += 1;
        }
        if (batch.isAtEnd) break;
        from = { kind: 'after', position: batch.through };
      }
      if (changes !== this.changes) {
        this.#complain(`the log held ${this.changes} changes, and now it holds ${changes}`);
      }
    } finally {
      await reader.close();
    }
  }

  #open(): LocalLogReader {
    return new LocalLogReader({ directory: this.#options.directory, database: 'crash' });
  }

  async #read(): Promise<boolean> {
    const reader = this.#open();
    try {
      for (;;) {
        const batch = await reader.read({
          from:
            this.#position === undefined
              ? { kind: 'start' }
              : { kind: 'after', position: this.#position },
          tables: 'all',
          schemaChanges: true,
          changesMax: changesPerRead,
        });
        for (const change of batch.changes) this.#take(change);
        this.#position = batch.through;
        this.#compare();
        if (batch.isAtEnd) return true;
        if (this.#position.lsn > this.#recordedLsn) return false;
      }
    } finally {
      await reader.close();
    }
  }

  #take(change: Change): void {
    const { position } = change;
    if (position.lsn < this.#options.fromLsn) return;
    if (position.epoch !== 1) this.#complain(`epoch ${position.epoch} at ${printPlace(change)}`);
    this.#logged.push(change);
    this.#replayed.apply(change);
  }

  /** Transactions that both have. The last one of the log may go on, unless it is said to rest. */
  #compare(rests = false): void {
    while (this.#recorded.length > 0) {
      const first = this.#logged[0];
      if (first === undefined) return;
      const { lsn } = first.position;
      const next = this.#logged.findIndex(({ position }) => position.lsn !== lsn);
      const expected = this.#recorded[0]!;
      const isWhole = next >= 0 || rests || this.#logged.length >= expected.changes.length;
      if (!isWhole) return;
      const own = this.#logged.slice(0, next < 0 ? undefined : next);
      this.#logged = next < 0 ? [] : this.#logged.slice(next);
      if (this.complaints.length >= complaintsMax) return;
      if (lsn !== expected.commitLsn) {
        const kind = lsn < expected.commitLsn ? 'too many' : 'missing';
        this.#complain(`${kind}: ${printPlace(first)} where ${expected.commitLsn} is next`);
        if (lsn > expected.commitLsn) this.#logged = [...own, ...this.#logged];
      }
      if (lsn >= expected.commitLsn) this.#recorded.shift();
      if (lsn === expected.commitLsn) this.#compareOne(own, expected);
    }
  }

  #compareOne(own: readonly Change[], expected: RecordedTransaction): void {
    this.transactions += 1;
    this.changes += own.length;
    const [first] = own;
    if (own.length !== expected.changes.length) {
      const counts = `${own.length} changes where ${expected.changes.length} are`;
      this.#complain(`${printPlace(first!)} has ${counts} expected`);
    }
    let rows = 0;
    for (const [index, change] of own.entries()) {
      if (change.position.seq !== index) this.#complain(`${printPlace(change)} is number ${index}`);
      const isSame =
        printChange(change) === expected.changes[index] &&
        change.committedAtMicros === expected.committedAtMicros &&
        Number(change.xid & 0xffff_ffffn) === expected.xid;
      if (!isSame) {
        this.#complain(
          `${printPlace(change)}\n  logged   ${printChange(change)}\n  expected ${expected.changes[index]}`,
        );
      }
      if (change.operation !== 'DDL') rows += 1;
      if (change.table?.name === 'audit') this.#audit(change);
    }
    const announced = own.findLast(({ table }) => table?.name === 'audit')?.after?.[2];
    if (typeof announced === 'string' && Number(announced) !== rows) {
      this.#complain(`${printPlace(first!)} has ${rows} rows, its writer says ${announced}`);
    }
  }

  #audit(change: Change): void {
    const [tx, xid] = change.after ?? [];
    if (this.#audited.has(String(tx))) this.#complain(`transaction ${tx} is logged twice`);
    if (String(change.xid) !== xid) this.#complain(`${printPlace(change)} is of xid ${xid}`);
    this.#audited.set(String(tx), String(xid));
  }

  #where(): string {
    return `the first at ${this.#recorded[0]?.commitLsn}, the log is at ${this.#position?.lsn}`;
  }

  #complain(what: string): void {
    if (this.complaints.length < complaintsMax) this.complaints.push(what);
  }
}
