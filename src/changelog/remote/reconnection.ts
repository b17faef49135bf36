import { logNodeSilent } from '../../core/errors/log-stream.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { reconnectDelayMaxMs, reconnectDelayMinMs } from './limits.ts';
import { type LogAddress, LogConnection } from './log-connection.ts';

/** Where a log is. */
export type LogPlace = {
  /** Of the node; a place is another one when this is or the address. */
  readonly node: string;
  readonly address: LogAddress;
  /** Asked for each connection, since it may be made anew. Rejects with a PgError. */
  readonly secret: () => Promise<Buffer>;
};

/** Asked for every request, so it answers from memory. @throws PgError */
export type LocateLog = () => Promise<LogPlace>;

/** The one connection to wherever a log is now. */
export class Reconnection {
  readonly #database: string;
  readonly #locate: LocateLog;
  #place = '';
  #connecting: Promise<LogConnection> | undefined;
  #connection: LogConnection | undefined;
  #failures = 0;
  #failure: PgError | undefined;
  #retryAt = 0;
  #closed: PgError | undefined;

  constructor(options: { readonly database: string; readonly locate: LocateLog }) {
    this.#database = options.database;
    this.#locate = options.locate;
  }

  /**
   * The connection that is open, or a new one. A node that did not answer is left alone for a
   * moment, in which everybody gets the same error at once.
   *
   * @throws PgError 08006, 0A000 or what `locate` rejects with
   */
  async connection(): Promise<LogConnection> {
    const place = await this.#locate();
    if (this.#closed !== undefined) throw this.#closed;
    const key = `${place.node} ${place.address.host} ${place.address.port}`;
    if (key !== this.#place) this.#moveTo(key);
    if (this.#connection?.isOpen === true) return this.#connection;
    if (this.#failure !== undefined && performance.now() < this.#retryAt) throw this.#failure;
    this.#connecting ??= this.#connect(place, key);
    return this.#connecting;
  }

  close(error: PgError): void {
    this.#closed = error;
    this.#connection?.close(error);
  }

  #moveTo(key: string): void {
    // What is under way on the old connection is asked again at the new place.
    this.#connection?.close(logNodeSilent(this.#place, 'another node has the change log now'));
    this.#place = key;
    this.#connection = undefined;
    this.#connecting = undefined;
    this.#failures = 0;
    this.#failure = undefined;
  }

  async #connect(place: LogPlace, key: string): Promise<LogConnection> {
    try {
      const secret = await place.secret();
      const connection = await LogConnection.open(place.address, {
        database: this.#database,
        secret,
      });
      if (this.#closed !== undefined || key !== this.#place) {
        connection.close(this.#closed ?? logNodeSilent(key, 'another node has the change log now'));
        throw this.#closed ?? logNodeSilent(key, 'another node has the change log now');
      }
      this.#connection = connection;
      this.#failures = 0;
      this.#failure = undefined;
      return connection;
    } catch (error) {
      if (key === this.#place && error instanceof PgError) this.#failed(error);
      throw error;
    } finally {
      if (key === this.#place) this.#connecting = undefined;
    }
  }

  #failed(error: PgError): void {
    this.#failure = error;
    const wait = Math.min(reconnectDelayMinMs * 2 ** this.#failures, reconnectDelayMaxMs);
    this.#retryAt = performance.now() + wait;
    this.#failures += 1;
  }
}
