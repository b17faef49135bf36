import { openFrame, readSubxid } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

/** What `pg_logical_emit_message` wrote. Anybody may call it, so the content may be anything. */
export type LogicalMessage = {
  readonly subxid: number | undefined;
  /** False: it is sent as it was written, whether or not its transaction commits. */
  readonly isTransactional: boolean;
  readonly lsn: bigint;
  readonly prefix: string;
  /** A slice of the frame, in the encoding of the database. */
  readonly content: Buffer;
};

const transactionalFlag = 1;

export function decodeMessage(
  bytes: Buffer,
  start: number,
  end: number,
  streamed: boolean,
): LogicalMessage {
  const type = pgoutputMessage.message;
  const cursor = openFrame(bytes, start, end, type);
  const subxid = readSubxid(cursor, type, streamed);
  const isTransactional = (cursor.byte() & transactionalFlag) !== 0;
  const lsn = cursor.lsn();
  const prefix = cursor.text();
  const length = cursor.int32();
  const to = cursor.skip(length);
  cursor.finish();
  return { subxid, isTransactional, lsn, prefix, content: bytes.subarray(to - length, to) };
}
