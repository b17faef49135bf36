import type { Client } from 'pg';
import { connectTo } from './client.ts';
import type { ConnectionTarget } from './connection-target.ts';
import { asPgError } from './server-error.ts';

/** A row by column name; values are text, numbers and booleans are read, bigints stay text. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * One connection that is kept. Everything rejects with a PgError that has the server's own fields,
 * or 08006 when the connection is gone.
 */
export class Connection {
  readonly #client: Client;
  #isOpen = true;
  /** The last query; the driver takes one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(client: Client) {
    this.#client = client;
    client.once('end', () => {
      this.#isOpen = false;
    });
  }

  static async open(target: ConnectionTarget): Promise<Connection> {
    try {
      return new Connection(await connectTo(target, target.password ?? ''));
    } catch (error) {
      throw asPgError(error);
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
    const answer = this.#turn.then(() => this.#query(text, values));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async #query(text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
    try {
      const result = await this.#client.query<Record<string, unknown>>(
        text,
        values === undefined ? undefined : [...values],
      );
      return result.rows ?? [];
    } catch (error) {
      throw asPgError(error);
    }
  }

  /** Runs it in a transaction, which is rolled back when it rejects. */
  async transaction<T>(use: () => Promise<T>): Promise<T> {
    await this.query('BEGIN');
    try {
      const result = await use();
      await this.query('COMMIT');
      return result;
    } catch (error) {
      if (this.#isOpen) await this.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  /** Calls for each notification on a channel. */
  async listen(channel: string, notified: (payload: string) => void): Promise<void> {
    this.#client.on('notification', (message) => {
      if (message.channel === channel) notified(message.payload ?? '');
    });
    await this.query(`LISTEN ${channel}`);
  }

  /** Calls once when the connection is lost or closed. */
  onceClosed(closed: () => void): void {
    if (this.#isOpen) this.#client.once('end', closed);
    else queueMicrotask(closed);
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }
}
