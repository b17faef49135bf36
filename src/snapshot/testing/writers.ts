import { setImmediate as immediate } from 'node:timers/promises';
import { quoteIdentifier } from '../../core/quoting.ts';
import { describeFailure } from '../../postgres/database-failure.ts';
import { openTextSession, type TextSession } from '../../postgres/text-session.ts';
import type { Random } from '../../testing/oracle/random.ts';
import type { TableShape } from './table-shapes.ts';

/** The server has room for twenty, and others may have some. */
const preparedMax = 8;
/** Keys a table may have. */
const keysMax = 48;

export type WriterPool = {
  readonly sessions: readonly TextSession[];
  readonly canPrepare: boolean;
  /** With a synchronous standby that does not answer: commits may hang until they are cancelled. */
  readonly mayHang: boolean;
  /** Whether they really write at the same time; then a seed does not repeat what happens. */
  readonly isConcurrent: boolean;
};

type Writer = {
  readonly session: TextSession;
  isOpen: boolean;
  /** Whether it has just emptied the table, which nobody can read until it ends. */
  isTruncating: boolean;
  /** A commit that waits for the standby: written, decoded, but not visible to anybody. */
  hanging: { readonly pid: number; readonly done: Promise<unknown> } | undefined;
};

/** Several connections that write at random, transactions open and interleaved. */
export class Writers {
  readonly #random: Random;
  readonly #table: string;
  readonly #shape: TableShape;
  readonly #writers: readonly Writer[];
  readonly #pool: WriterPool;
  readonly #admin: TextSession;
  #prepared: string[] = [];
  #names = 0;
  #loops: readonly Promise<void>[] = [];
  #isStopped = false;
  #stepsDone = 0;
  #failure: unknown;

  constructor(
    random: Random,
    table: string,
    shape: TableShape,
    pool: WriterPool,
    admin: TextSession,
  ) {
    this.#random = random;
    this.#table = table;
    this.#shape = shape;
    this.#pool = pool;
    this.#admin = admin;
    this.#writers = pool.sessions.map((session) => ({
      session,
      isOpen: false,
      isTruncating: false,
      hanging: undefined,
    }));
  }

  static async openPool(url: string, count: number): Promise<TextSession[]> {
    const sessions = await Promise.all(Array.from({ length: count }, () => openTextSession(url)));
    // Whoever would wait for another writer gives up: the next step is what lets it go on.
    for (const session of sessions) {
      await session.query(`SET lock_timeout = '3ms'`);
      // A slot gives what has been flushed.
      await session.query('SET synchronous_commit = local');
    }
    return sessions;
  }

  async fill(): Promise<void> {
    const [first] = this.#writers;
    const numbers = this.#random.some(
      Array.from({ length: keysMax }, (_, n) => n),
      30,
    );
    for (const number of numbers) await first?.session.query(this.#insert(number)).catch(() => 0);
  }

  async steps(most: number): Promise<void> {
    const count = this.#random.between(0, most);
    if (!this.#pool.isConcurrent) {
      for (let n = 0; n < count; n += 1) await this.#step(this.#random.pick(this.#writers));
      return;
    }
    if (this.#loops.length === 0) this.#loops = this.#writers.map((writer) => this.#loop(writer));
    const target = this.#stepsDone + count;
    while (this.#stepsDone < target && this.#failure === undefined) await immediate();
  }

  async #loop(writer: Writer): Promise<void> {
    try {
      while (!this.#isStopped) await this.#step(writer);
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Ends every transaction, in random order, some by rolling back. */
  async finish(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#loops);
    for (const writer of this.#writers) await this.#release(writer);
    for (const writer of this.#random.shuffled(this.#writers)) {
      if (writer.isOpen) await this.#end(writer);
      await this.#release(writer);
      if (this.#random.chance(0.3)) await this.#endPrepared(writer);
    }
    const [first] = this.#writers;
    while (first !== undefined && this.#prepared.length > 0) await this.#endPrepared(first);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #step(writer: Writer): Promise<void> {
    const random = this.#random;
    this.#stepsDone += 1;
    if (writer.hanging !== undefined) return random.chance(0.2) ? this.#release(writer) : undefined;
    if (!writer.isOpen && random.chance(0.08)) return this.#endPrepared(writer);
    if (!writer.isOpen && random.chance(0.7)) {
      await writer.session.query('BEGIN');
      writer.isOpen = true;
    } else if (writer.isOpen && random.chance(0.2)) {
      return this.#end(writer);
    }
    if (!writer.isOpen) {
      await this.#succeeds(writer);
      writer.isTruncating = false;
      return;
    }
    await writer.session.query('SAVEPOINT step');
    const failed = !(await this.#succeeds(writer));
    if (failed || random.chance(0.15)) await writer.session.query('ROLLBACK TO step');
    else if (random.chance(0.8)) await writer.session.query('RELEASE step');
    // Nobody reads a table that is being truncated: the lock would be waited for.
    if (writer.isTruncating) await this.#end(writer);
  }

  async #end(writer: Writer): Promise<void> {
    writer.isOpen = false;
    const { isTruncating } = writer;
    writer.isTruncating = false;
    const canPrepare = this.#pool.canPrepare && this.#prepared.length < preparedMax;
    if (canPrepare && !isTruncating && this.#random.chance(0.15)) {
      const name = `${this.#table}_${this.#names++}`;
      await writer.session.query(`PREPARE TRANSACTION '${name}'`);
      this.#prepared.push(name);
      return;
    }
    if (this.#pool.mayHang && !isTruncating && this.#random.chance(0.4)) return this.#hang(writer);
    await writer.session.query(this.#random.chance(0.85) ? 'COMMIT' : 'ROLLBACK');
  }

  async #hang(writer: Writer): Promise<void> {
    const [pid] = await writer.session.query('SELECT pg_backend_pid()');
    await writer.session.query('SET LOCAL synchronous_commit = on');
    let isDone = false;
    const done = writer.session.query('COMMIT').then(() => {
      isDone = true;
    });
    writer.hanging = { pid: Number(pid?.[0]), done };
    // One that wrote nothing does not wait.
    while (!isDone && !(await this.#waits(writer.hanging.pid)));
    if (isDone) writer.hanging = undefined;
  }

  async #waits(pid: number): Promise<boolean> {
    const rows = await this.#admin.query(
      `SELECT 1 FROM pg_stat_activity WHERE pid = ${pid} AND wait_event = 'SyncRep'`,
    );
    return rows.length > 0;
  }

  /** Cancels the waiting, upon which the transaction becomes visible. */
  async #release(writer: Writer): Promise<void> {
    if (writer.hanging === undefined) return;
    await this.#admin.query(`SELECT pg_cancel_backend(${writer.hanging.pid})`);
    await writer.hanging.done;
    writer.hanging = undefined;
  }

  async #endPrepared(writer: Writer): Promise<void> {
    const [name] = this.#random.some(this.#prepared, 1);
    if (name === undefined) return;
    this.#prepared = this.#prepared.filter((other) => other !== name);
    const verb = this.#random.chance(0.8) ? 'COMMIT' : 'ROLLBACK';
    await writer.session.query(`${verb} PREPARED '${name}'`);
  }

  async #succeeds(writer: Writer): Promise<boolean> {
    const statement = this.#statement();
    writer.isTruncating = statement.startsWith('TRUNCATE');
    try {
      await writer.session.query(statement);
      return true;
    } catch (error) {
      const { code } = describeFailure(error);
      // Duplicate keys, locks of others and rows that went to another partition are to be expected.
      // A lock_timeout that fires just as the lock is granted is told as 57014.
      if (['23505', '55P03', '57014', '40P01', '40001'].includes(code)) return false;
      throw error;
    }
  }

  #statement(): string {
    const random = this.#random;
    const number = random.between(0, keysMax - 1);
    const table = `public.${this.#table}`;
    const dice = random.next();
    if (dice < 0.3) return this.#insert(number);
    if (dice < 0.5)
      return `UPDATE ${table} SET note = ${random.between(0, 99)} ${this.#where(number)}`;
    if (dice < 0.55) return `UPDATE ${table} SET big = ${this.#big()} ${this.#where(number)}`;
    if (dice < 0.8) return this.#move(number, random.between(0, keysMax - 1));
    if (dice < 0.97) return `DELETE FROM ${table} ${this.#where(number)}`;
    return `TRUNCATE ${table}`;
  }

  #insert(number: number): string {
    const columns = this.#shape.key.map(quoteIdentifier).join(', ');
    const values = this.#shape.keyOf(number).join(', ');
    const note = this.#random.between(0, 99);
    return `INSERT INTO public.${this.#table} (${columns}, note, big)
      VALUES (${values}, ${note}, ${this.#big()})`;
  }

  #move(from: number, to: number): string {
    const values = this.#shape.keyOf(to);
    const sets = this.#shape.key.map(
      (column, index) => `${quoteIdentifier(column)} = ${values[index]}`,
    );
    return `UPDATE public.${this.#table} SET ${sets.join(', ')} ${this.#where(from)}`;
  }

  #where(number: number): string {
    const values = this.#shape.keyOf(number);
    const equal = this.#shape.key.map(
      (column, index) => `${quoteIdentifier(column)} = ${values[index]}`,
    );
    return `WHERE ${equal.join(' AND ')}`;
  }

  /** Some are stored out of line, so that an update that leaves them alone does not say them. */
  #big(): string {
    const letter = this.#random.pick(['a', 'b', 'c', 'd']);
    return this.#random.chance(0.4) ? `repeat('${letter}', 2100)` : `'${letter}'`;
  }
}
