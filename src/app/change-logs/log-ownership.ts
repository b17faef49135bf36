import { type LogOwner, readLogOwner, readLogSecret } from '../../catalog/log-owner.ts';
import { logNodeSilent } from '../../core/errors/log-stream.ts';
import { Connection } from '../../postgres/connection.ts';
import type { ConnectionTarget } from '../../postgres/connection-target.ts';
import {
  ownershipAgeMaxMs,
  ownershipAnswerMaxMs,
  ownershipAskAgainMs,
  ownershipIdleMs,
  ownershipPatienceMs,
} from '../limits.ts';

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

/** A question to the catalog that is under way. */
type Asking = { readonly begunAt: number; readonly over: Promise<void> };

/**
 * Who has the log of one database. It is known from memory for a second, and asked in the
 * background before that is over, so who reads all the time never waits. Who reads after a while
 * waits for the answer: a node that had the log then may have lost it since, and would answer with
 * an old one. What was known last stays so while the catalog does not answer, for which nobody
 * waits longer than a moment, but for the very first answer.
 */
export class LogOwnership {
  readonly #database: string;
  readonly #source: OwnershipSource;
  readonly #now: () => number;
  readonly #listeners: Set<() => void> = new Set();
  #known: KnownOwner = { kind: 'unknown', cause: undefined };
  /** When the last question that is over was asked: what is known was true then or later. */
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Asking | undefined;
  #timer: NodeJS.Timeout | undefined;
  #secret: Buffer | undefined;

  /** @param now a clock, in ms; of this process */
  constructor(database: string, source: OwnershipSource, now?: () => number) {
    this.#database = database;
    this.#source = source;
    this.#now = now ?? (() => performance.now());
  }

  /** As it was within the last second. */
  async known(): Promise<KnownOwner> {
    const now = this.#now();
    if (now - this.#askedAt > ownershipAskAgainMs) this.#ask();
    await this.#askedSince(now - ownershipAgeMaxMs);
    return this.#known;
  }

  /** As it is now, for whoever has found that what was known does not hold. */
  async latest(): Promise<KnownOwner> {
    await this.#askedSince(this.#now());
    return this.#known;
  }

  /** Calls when another node has the log; as long as anybody listens, the catalog is asked. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.#ask(), ownershipAgeMaxMs);
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

  /** Resolves when a question asked then or later is over, or the catalog lets one wait. */
  async #askedSince(since: number): Promise<void> {
    // At most two: one that is under way may have been answered before, and one after it.
    while (this.#askedAt < since) {
      const isFirst = this.#askedAt === Number.NEGATIVE_INFINITY;
      const { begunAt, over } = this.#ask();
      if (isFirst) await over;
      else if (!(await isOverIn(begunAt + ownershipPatienceMs - this.#now(), over))) return;
    }
  }

  /** The question that is under way, or a new one. */
  #ask(): Asking {
    const begunAt = this.#now();
    this.#asking ??= {
      begunAt,
      over: this.#learnOwner().finally(() => {
        this.#askedAt = begunAt;
        this.#asking = undefined;
      }),
    };
    return this.#asking;
  }

  async #learnOwner(): Promise<void> {
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

async function isOverIn(ms: number, over: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, ms));
  });
  try {
    return await Promise.race([over.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
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
