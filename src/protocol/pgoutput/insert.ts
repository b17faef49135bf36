import type { Tuple } from '../../contracts/change.ts';
import { changeDamaged } from '../../core/errors/changes.ts';
import { openFrame, readSubxid } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';
import { readTuple, tupleKind } from './tuple-data.ts';

export type InsertMessage = {
  readonly subxid: number | undefined;
  /** The OID, or what a change log has put in its place. */
  readonly relationId: number;
  readonly after: Tuple;
};

export function decodeInsert(
  bytes: Buffer,
  start: number,
  end: number,
  streamed: boolean,
): InsertMessage {
  const type = pgoutputMessage.insert;
  const cursor = openFrame(bytes, start, end, type);
  const subxid = readSubxid(cursor, type, streamed);
  const relationId = cursor.uint32();
  if (cursor.byte() !== tupleKind.new) throw changeDamaged('An insert has no new row.');
  const after = readTuple(cursor);
  cursor.finish();
  return { subxid, relationId, after };
}
