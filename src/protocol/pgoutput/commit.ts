import { openFrame } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

export type CommitMessage = {
  /** Of the commit record. */
  readonly commitLsn: bigint;
  /** Behind the commit record: once this is confirmed the transaction is not sent again. */
  readonly endLsn: bigint;
  /** Microseconds since 1970. */
  readonly committedAtMicros: bigint;
};

export function decodeCommit(bytes: Buffer, start: number, end: number): CommitMessage {
  const cursor = openFrame(bytes, start, end, pgoutputMessage.commit);
  cursor.skip(1); // flags, of which there are none
  const message = {
    commitLsn: cursor.lsn(),
    endLsn: cursor.lsn(),
    committedAtMicros: cursor.time(),
  };
  cursor.finish();
  return message;
}
