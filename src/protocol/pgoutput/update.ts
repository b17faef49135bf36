import type { Tuple } from '../../contracts/change.ts';
import { changeDamaged } from '../../core/errors/changes.ts';
import { openFrame, readSubxid } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';
import { readKeyTuple, readTuple, tupleKind } from './tuple-data.ts';

export type UpdateMessage = {
  readonly subxid: number | undefined;
  /** The OID, or what a change log has put in its place. */
  readonly relationId: number;
  /** Undefined when the replica identity is not the whole row and did not change. */
  readonly before: Tuple | undefined;
  readonly after: Tuple;
};

export function decodeUpdate(
  bytes: Buffer,
  start: number,
  end: number,
  streamed: boolean,
): UpdateMessage {
  const type = pgoutputMessage.update;
  const cursor = openFrame(bytes, start, end, type);
  const subxid = readSubxid(cursor, type, streamed);
  const relationId = cursor.uint32();
  let kind = cursor.byte();
  let before: Tuple | undefined;
  if (kind === tupleKind.key || kind === tupleKind.old) {
    before = kind === tupleKind.key ? readKeyTuple(cursor) : readTuple(cursor);
    kind = cursor.byte();
  }
  if (kind !== tupleKind.new) throw changeDamaged('An update has no new row.');
  const after = readTuple(cursor);
  cursor.finish();
  return { subxid, relationId, before, after };
}
