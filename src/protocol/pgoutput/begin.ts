import { openFrame } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

export type BeginMessage = {
  /** Of the commit record of the transaction, which is complete. */
  readonly commitLsn: bigint;
  /** Microseconds since 1970. */
  readonly committedAtMicros: bigint;
  readonly xid: number;
};

export function decodeBegin(bytes: Buffer, start: number, end: number): BeginMessage {
  const cursor = openFrame(bytes, start, end, pgoutputMessage.begin);
  const message = {
    commitLsn: cursor.lsn(),
    committedAtMicros: cursor.time(),
    xid: cursor.uint32(),
  };
  cursor.finish();
  return message;
}
