import { type LogOwner, readLogOwner, readLogSecret } from '../../catalog/log-owner.ts';
import { logNodeSilent } from '../../core/errors/log-stream.ts';
import { Connection } from '../../postgres/connection.ts';
import type { ConnectionTarget } from '../../postgres/connection-target.ts';
import { ownershipAgeMaxMs, ownershipAnswerMaxMs, ownershipIdleMs } from '../limits.ts';

/** What is known of who has a log; `unknown` while the catalog has never answered. */
export type KnownOwner =
  | { readonly kind: 'unknown'; readonly cause: unknown }
  /** Nobody captures the database, or ever did. */
  | { readonly kind: 'nobody' }
  | ({ readonly kind: 'owner' } & LogOwner);

/** Where who owns a log is asked; a connection to a catalog, or a test. */
export interface OwnershipSource {
  owner(): Promise<LogOwner | undefined>;
  secret(): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/**
 * Who has the log of one database, from memory: the catalog is asked in the background when what
 * is known is a second old and somebody wants to know. What was known last stays so while the
 * catalog does not answer. Nobody who asks waits for it, but for the very first answer.
 */
export class LogOwnership {
  readonly #database: string;
  readonly #source: OwnershipSource;
  readonly #listeners: Set<() => void> = new Set();
  #known: KnownOwner = { kind: 'unknown', cause: undefined };
  #askedAt = Number.NEGATIVE_INFINITY;
  #hasAsked = false;
  #asking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #secret: Buffer | undefined;

  constructor(database: string, source: OwnershipSource) {
    this.#database = database;
    this.#source = source;
  }

  async known(): Promise<KnownOwner> {
    const isOld = performance.now() - this.#askedAt > ownershipAgeMaxMs;
    const asking = isOld ? this.refresh() : this.#asking;
    if (!this.#hasAsked) await asking;
    return this.#known;
  }

  /** Asks the catalog now; resolves when it has answered or cannot. */
  refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#askedAt = performance.now();
      this.#hasAsked = true;
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Calls when another node has the log; as long as anybody listens, the catalog is asked. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => void this.refresh(), ownershipAgeMaxMs);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** The last one known while the catalog does not answer. @throws PgError when there is none */
  async secret(): Promise<Buffer> {
    try {
      this.#secret = (await this.#source.secret()) ?? this.#secret;
    } catch (error) {
      if (this.#secret === undefined) throw error;
    }
    if (this.#secret !== undefined) return this.#secret;
    throw logNodeSilent(`Database "${this.#database}"`, 'heliosdb.secrets is empty');
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#source.close();
  }

  async #ask(): Promise<void> {
    try {
      const owner = await this.#inTime(this.#source.owner());
      this.#learn(owner === undefined ? { kind: 'nobody' } : { kind: 'owner', ...owner });
    } catch (error) {
      if (this.#known.kind === 'unknown') this.#known = { kind: 'unknown', cause: error };
    }
  }

  /** A connection whose other end is gone says nothing for hours; another one is made then. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        void this.#source.close();
        reject(logNodeSilent(`Database "${this.#database}"`, 'the catalog does not answer'));
      }, ownershipAnswerMaxMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #learn(known: KnownOwner): void {
    const isOther = placeOf(known) !== placeOf(this.#known);
    this.#known = known;
    if (!isOther) return;
    for (const listener of [...this.#listeners]) listener();
  }
}

function placeOf(known: KnownOwner): string {
  return known.kind === 'owner' ? `${known.node} ${known.logAddress}` : known.kind;
}

/** Asks on a connection of its own, which ends when nobody has asked for a while. */
export class CatalogOwnership implements OwnershipSource {
  readonly #target: ConnectionTarget;
  #connection: Promise<Connection> | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(target: ConnectionTarget) {
    this.#target = target;
  }

  async owner(): Promise<LogOwner | undefined> {
    return readLogOwner(await this.#open());
  }

  async secret(): Promise<Buffer | undefined> {
    return readLogSecret(await this.#open());
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const connection = this.#connection;
    this.#connection = undefined;
    await (await connection?.catch(() => undefined))?.close();
  }

  #open(): Promise<Connection> {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.close(), ownershipIdleMs).unref();
    const open = (): Promise<Connection> => Connection.open(this.#target);
    // Two who ask at once get the same one.
    const opened =
      this.#connection?.then((known) => (known.isOpen ? known : open()), open) ?? open();
    this.#connection = opened;
    opened.catch(() => undefined);
    return opened;
  }
}
