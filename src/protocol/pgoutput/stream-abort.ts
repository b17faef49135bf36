import { openFrame } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

/** What was streamed with this `subxid` never happened; all of it when that is the `xid`. */
export type StreamAbortMessage = {
  /** Of the top-level transaction. */
  readonly xid: number;
  readonly subxid: number;
};

export function decodeStreamAbort(bytes: Buffer, start: number, end: number): StreamAbortMessage {
  const cursor = openFrame(bytes, start, end, pgoutputMessage.streamAbort);
  const message = { xid: cursor.uint32(), subxid: cursor.uint32() };
  cursor.finish();
  return message;
}
