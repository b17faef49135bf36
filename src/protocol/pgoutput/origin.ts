import { openFrame } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

/** The transaction was replicated into this server. */
export type OriginMessage = {
  /** Of its commit on the server it came from. */
  readonly commitLsn: bigint;
  readonly name: string;
};

export function decodeOrigin(bytes: Buffer, start: number, end: number): OriginMessage {
  const cursor = openFrame(bytes, start, end, pgoutputMessage.origin);
  const message = { commitLsn: cursor.lsn(), name: cursor.text() };
  cursor.finish();
  return message;
}
