import type { Direction } from './proxy-metrics.ts';

/** Why a Redis client connection ended. */
export type RedisCloseReason =
  | 'quit'
  | 'client-vanished'
  /** Its bytes were no requests, or too many. */
  | 'protocol-error'
  /** It left its replies unread. */
  | 'stalled'
  | 'wrong-passwords'
  /** One client too many. */
  | 'refused'
  | 'drained'
  | 'stopped';

/**
 * What the RESP endpoint counts. Every call is made synchronously while a client is served, so an
 * implementation only adds to counters. It never throws.
 */
export interface RedisMetrics {
  /** A client connected; exactly one `connectionClosed` follows. */
  connectionOpened(): void;
  connectionClosed(reason: RedisCloseReason): void;
  /** Bytes of one chunk. */
  transferred(direction: Direction, bytes: number): void;
  /**
   * A request was answered, with an error of this class (`ERR`, `NOPERM`, ...) or without. The
   * command is one of those the endpoint knows, in lower case, or `unknown`. Time spent blocked
   * counts.
   */
  commandAnswered(command: string, errorClass: string | undefined, seconds: number): void;
  /** Entries of streams that went into replies. */
  entriesSent(count: number): void;
  /** A client waits in XREAD BLOCK; exactly one `clientUnblocked` follows. */
  clientBlocked(): void;
  clientUnblocked(): void;
  authenticationFailed(): void;
}
