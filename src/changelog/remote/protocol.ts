/**
 * What two nodes say to each other about a change log. Numbers are big-endian. Every frame begins
 * with its length (u32), which does not count itself.
 *
 * The first three frames are plain (`handshake.ts`): hello and proof of the client, the challenge
 * of the server in between. Every later one is sealed (`seal.ts`) and holds a kind (u8), the number
 * of a request (u32) and a body (`request-codec.ts`, `answer-codec.ts`, `change-codec.ts`).
 *
 * History of `streamVersion`:
 * - 1: the first.
 */
export const streamVersion = 1;
/** The oldest version that is still spoken, so that nodes can be upgraded one after the other. */
export const streamVersionMin = 1;

export const requestKind = {
  bounds: 1,
  tables: 2,
  count: 3,
  read: 4,
  readBackward: 5,
  /** Answered when the log goes beyond a position, or when it is cancelled. */
  changed: 6,
  /** Of the wait with the same number; has no answer of its own. */
  cancel: 7,
  ping: 8,
  walSample: 9,
} as const;
export type RequestKind = (typeof requestKind)[keyof typeof requestKind];

export const answerKind = {
  /** More of this answer follows. */
  part: 0x80,
  /** The rest of it. */
  end: 0x81,
  /** A PgError instead of it. */
  error: 0x82,
  pong: 0x83,
} as const;

export const messageHeaderBytes = 5;

export type Message = { readonly kind: number; readonly id: number; readonly body: Buffer };
