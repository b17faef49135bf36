import type { Tuple } from '../../contracts/change.ts';
import { changeDamaged } from '../../core/errors/changes.ts';
import { openFrame, readSubxid } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';
import { readKeyTuple, readTuple, tupleKind } from './tuple-data.ts';

export type DeleteMessage = {
  readonly subxid: number | undefined;
  /** The OID, or what a change log has put in its place. */
  readonly relationId: number;
  readonly before: Tuple;
};

export function decodeDelete(
  bytes: Buffer,
  start: number,
  end: number,
  streamed: boolean,
): DeleteMessage {
  const type = pgoutputMessage.delete;
  const cursor = openFrame(bytes, start, end, type);
  const subxid = readSubxid(cursor, type, streamed);
  const relationId = cursor.uint32();
  const kind = cursor.byte();
  if (kind !== tupleKind.key && kind !== tupleKind.old) {
    throw changeDamaged('A delete has no old row.');
  }
  const before = kind === tupleKind.key ? readKeyTuple(cursor) : readTuple(cursor);
  cursor.finish();
  return { subxid, relationId, before };
}
