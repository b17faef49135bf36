import { schemaVersionId } from './format.ts';

const truncate = 0x54;
const message = 0x4d;

/** Where the table version stands in a payload: behind the type and the subtransaction. */
export function versionOffset(hasSubxid: boolean): number {
  return hasSubxid ? 5 : 1;
}

/** The table version of each change of a stored payload. */
export function versionsOfFrame(
  bytes: Buffer,
  start: number,
  hasSubxid: boolean,
): readonly number[] {
  const at = start + versionOffset(hasSubxid);
  switch (bytes[start]) {
    case truncate: {
      const count = bytes.readUInt32BE(at);
      return Array.from({ length: count }, (_, index) => bytes.readUInt32BE(at + 5 + 4 * index));
    }
    case message:
      return [schemaVersionId];
    default:
      return [bytes.readUInt32BE(at)];
  }
}

/** The same, one number for what is almost every frame; -1 where there are several. */
export function versionOfFrame(bytes: Buffer, start: number, hasSubxid: boolean): number {
  const type = bytes[start];
  if (type === truncate) return -1;
  if (type === message) return schemaVersionId;
  return bytes.readUInt32BE(start + versionOffset(hasSubxid));
}
