import { changeDamaged } from '../../core/errors/changes.ts';
import { openFrame, readSubxid } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

export type TruncateMessage = {
  readonly subxid: number | undefined;
  readonly cascade: boolean;
  readonly restartIdentity: boolean;
  /** The OIDs, or what a change log has put in their place. */
  readonly relationIds: readonly number[];
};

const cascadeFlag = 1;
const restartIdentityFlag = 2;

/** Where, counted from the type byte, the relations begin: 4 bytes each. */
export function truncatedRelationsOffset(streamed: boolean): number {
  return streamed ? 10 : 6;
}

/** How many relations a Truncate has; all of them are there. */
export function truncatedRelationCount(
  bytes: Buffer,
  start: number,
  end: number,
  streamed: boolean,
): number {
  const type = pgoutputMessage.truncate;
  const cursor = openFrame(bytes, start, end, type);
  readSubxid(cursor, type, streamed);
  const count = cursor.int32();
  cursor.skip(1);
  if (cursor.end - cursor.at !== 4 * count) {
    throw changeDamaged(`A truncate of ${count} tables has ${cursor.end - cursor.at} bytes.`);
  }
  return count;
}

export function decodeTruncate(
  bytes: Buffer,
  start: number,
  end: number,
  streamed: boolean,
): TruncateMessage {
  const count = truncatedRelationCount(bytes, start, end, streamed);
  const relationsAt = start + truncatedRelationsOffset(streamed);
  const flags = bytes[relationsAt - 1]!;
  const relationIds: number[] = [];
  for (let i = 0; i < count; i++) relationIds.push(bytes.readUInt32BE(relationsAt + 4 * i));
  return {
    subxid: streamed ? bytes.readUInt32BE(start + 1) : undefined,
    cascade: (flags & cascadeFlag) !== 0,
    restartIdentity: (flags & restartIdentityFlag) !== 0,
    relationIds,
  };
}
