import { schemaVersionId } from './format.ts';

const truncate = 0x54;
const message = 0x4d;

/**
 * The table version of a stored payload, which is one change: behind the type, the subtransaction
 * where there is one, and in a TRUNCATE, which is stored once for each table, its count and flags.
 */
export function versionOfFrame(bytes: Buffer, start: number, hasSubxid: boolean): number {
  const at = start + (hasSubxid ? 5 : 1);
  const type = bytes[start];
  if (type === message) return schemaVersionId;
  return bytes.readUInt32BE(type === truncate ? at + 5 : at);
}
