/**
 * Where the changes of a connector go. A sink is opened once and given one batch after the other,
 * in the order of the log; the next when the promise of the one before is fulfilled.
 */
import type { Change } from './change.ts';
import type { VersionRights } from './change-access.ts';
import type { Logger } from './logger.ts';

/** A change as it leaves: what the owner of the connector may see, and was asked for. */
export type OutgoingChange = {
  readonly change: Change;
  /** What of it may leave. */
  readonly rights: VersionRights;
  /** Of the row, JSON: the columns of the replica identity. Undefined where there is none. */
  readonly key: string | undefined;
  /** The change in the envelope of the connector, JSON. */
  readonly value: string;
};

export interface Sink {
  /**
   * Resolves when every change of the batch is there for good, or was there already. Rejects with
   * a PgError: `retryable` where trying again may help. What was delivered before it failed may be
   * delivered again.
   */
  deliver(batch: readonly OutgoingChange[]): Promise<void>;
  /** Lets go of what it has open; nothing is under way. */
  close(): Promise<void>;
}

export type SinkContext = {
  readonly connector: string;
  readonly database: string;
  /** Every option that was given, secrets as their values. */
  readonly options: Readonly<Record<string, string>>;
  readonly logger: Logger;
  /** Aborts when the connector ends: what is under way may be left. */
  readonly signal: AbortSignal;
};

/** Rejects with a PgError. */
export type OpenSink = (context: SinkContext) => Promise<Sink>;
