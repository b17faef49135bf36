import { Client } from 'pg';
import type { Random } from '../oracle/random.ts';
import { randomStep, type StepOptions } from './random-step.ts';

export type WriterOptions = StepOptions & {
  readonly number: number;
  readonly random: Random;
  /** Where to connect now; it may change from connection to connection. */
  readonly url: () => string;
  /** A number nobody else gets. */
  readonly nextTransaction: () => number;
  /** One more transaction ended, in whatever way. */
  readonly ended: () => void;
  /** Resolves when that many more transactions of all writers have ended. */
  readonly othersEnded: (count: number) => Promise<void>;
};

/**
 * A client that writes random transactions until it is told to stop. That the server, or what is
 * in between, goes away is nothing to it: it connects again and goes on.
 */
export class RandomWriter {
  readonly #options: WriterOptions;
  #client: Client | undefined;
  #isStopped = false;
  #isLockedOut = false;
  /** Errors by SQLSTATE, to see that a run does what it should. */
  readonly errors: Map<string, number> = new Map();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#transaction(await this.#connected());
      } catch (error) {
        await this.#failed(error);
      }
      this.#options.ended();
    }
    await this.#close();
  }

  async #connected(): Promise<Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new Client({ connectionString: this.#options.url() });
    client.on('error', () => undefined);
    this.#client = client;
    await client.connect();
    await client.query(
      "SET lock_timeout = '300ms'; SET statement_timeout = '20s'; SET synchronous_commit = on",
    );
    return client;
  }

  async #failed(error: unknown): Promise<void> {
    const code = String((error as { code?: unknown }).code ?? (error as Error).message);
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    // It may be by a transaction that is prepared, and then nobody else ends it.
    this.#isLockedOut = code === '55P03';
    const isSql = /^[0-9A-Z]{5}$/.test(code) && !/^(?:57P|08|53|58)/.test(code);
    if (isSql && this.#client !== undefined) {
      const again = await this.#client.query('ROLLBACK').then(
        () => true,
        () => false,
      );
      if (again) return;
    }
    await this.#close();
    // The server may be down: nothing announces that it is back.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async #close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    const stream = (client as unknown as { connection: { stream: { destroy(): void } } }).connection
      .stream;
    stream.destroy();
    await client.end().catch(() => undefined);
  }

  async #transaction(client: Client): Promise<void> {
    const { random, number, nextTransaction, othersEnded } = this.#options;
    if (this.#isLockedOut || random.chance(0.1)) {
      this.#isLockedOut = false;
      await this.#settlePrepared(client);
      return;
    }
    const tx = nextTransaction();
    await client.query('BEGIN');
    const isLong = random.chance(0.03);
    let changes = await this.#steps(client, 0);
    if (isLong) {
      await othersEnded(random.between(5, 40));
      changes = plus(changes, await this.#steps(client, 0));
    }
    await client.query('INSERT INTO audit VALUES ($1, pg_current_xact_id()::text, $2)', [
      tx,
      plus(changes, 1) ?? null,
    ]);
    const ending = random.next();
    if (ending < 0.1) await client.query('ROLLBACK');
    else if (ending < 0.2) await client.query(`PREPARE TRANSACTION 'w${number}_${tx}'`);
    else await client.query('COMMIT');
  }

  /** Answers how many changes survive; undefined when that is not known. */
  async #steps(client: Client, depth: number): Promise<number | undefined> {
    const { random } = this.#options;
    let changes: number | undefined = 0;
    const count = random.between(1, 6);
    for (let step = 0; step < count; step += 1) {
      if (depth < 3 && random.chance(0.15)) {
        const inner = await this.#savepoint(client, depth);
        changes = plus(changes, inner);
      } else changes = plus(changes, await this.#step(client));
    }
    return changes;
  }

  async #savepoint(client: Client, depth: number): Promise<number | undefined> {
    const { random } = this.#options;
    const name = `s${depth}`;
    await client.query(`SAVEPOINT ${name}`);
    const isUndone = random.chance(0.5);
    const before = isUndone ? 0 : undefined;
    try {
      const changes = await this.#steps(client, depth + 1);
      if (!isUndone) {
        if (random.chance(0.7)) await client.query(`RELEASE ${name}`);
        return changes;
      }
    } catch (error) {
      const code = String((error as { code?: unknown }).code ?? '');
      // What only ends a statement is undone with it.
      if (!/^(?:23|55|40|22)/.test(code)) throw error;
    }
    await client.query(`ROLLBACK TO ${name}`);
    return before ?? 0;
  }

  async #step(client: Client): Promise<number | undefined> {
    const { sql, changesPerRow, changes } = randomStep(this.#options.random, this.#options);
    const { rowCount } = await client.query(sql);
    if (changes !== undefined) return changes;
    return changesPerRow === undefined ? undefined : changesPerRow * (rowCount ?? 0);
  }

  /** Somebody's prepared transaction ends. */
  async #settlePrepared(client: Client): Promise<void> {
    const { random } = this.#options;
    const { rows } = await client.query<{ gid: string }>('SELECT gid FROM pg_prepared_xacts');
    if (rows.length === 0) return;
    const { gid } = random.pick(rows);
    await client.query(
      random.chance(0.7) ? `COMMIT PREPARED '${gid}'` : `ROLLBACK PREPARED '${gid}'`,
    );
  }
}

function plus(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? undefined : left + right;
}
