import { openFrame, readSubxid } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

/** The name of a type that is not built in, before the relation that has it. */
export type TypeMessage = {
  readonly subxid: number | undefined;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
};

export function decodeType(
  bytes: Buffer,
  start: number,
  end: number,
  streamed: boolean,
): TypeMessage {
  const type = pgoutputMessage.type;
  const cursor = openFrame(bytes, start, end, type);
  const message = {
    subxid: readSubxid(cursor, type, streamed),
    oid: cursor.uint32(),
    schema: cursor.text() || 'pg_catalog',
    name: cursor.text(),
  };
  cursor.finish();
  return message;
}
