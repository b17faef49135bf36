/** Which way bytes and messages travel. */
export type Direction = 'client-to-server' | 'server-to-client';

/** Why a client connection ended. */
export type CloseReason =
  | 'terminated'
  | 'client-vanished'
  | 'server-closed'
  | 'server-unreachable'
  | 'refused'
  | 'cancel-request'
  | 'drained'
  | 'stopped';

/**
 * What the proxy counts. Every call is made on the query path, synchronously, at most once per
 * chunk of bytes (never per message), so an implementation only adds to counters. It never throws.
 */
export interface ProxyMetrics {
  /** A client connected; exactly one `connectionClosed` follows. */
  connectionOpened(): void;
  connectionClosed(reason: CloseReason): void;
  /** Bytes and whole messages of one chunk. A relayed replication connection counts bytes only. */
  transferred(direction: Direction, bytes: number, messages: number): void;
  /** Statements that went to the backend in lowered form. */
  statementsLowered(count: number): void;
  /** A claimed statement came back as an error worded by a rewrite. */
  statementRefused(code: string): void;
  /** From the moment a text was claimed until it, or what it became, was forwarded. */
  statementClaimed(seconds: number): void;
  /** A parser worker was killed at its deadline or died. */
  parserWorkerLost(): void;
}
