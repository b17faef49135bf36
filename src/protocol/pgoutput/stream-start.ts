import { openFrame } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

/** A piece of a transaction that has not ended follows, up to Stream Stop. */
export type StreamStartMessage = {
  /** Of the top-level transaction. */
  readonly xid: number;
  readonly isFirst: boolean;
};

export function decodeStreamStart(bytes: Buffer, start: number, end: number): StreamStartMessage {
  const cursor = openFrame(bytes, start, end, pgoutputMessage.streamStart);
  const message = { xid: cursor.uint32(), isFirst: cursor.byte() === 1 };
  cursor.finish();
  return message;
}
