import { crc32 } from 'node:zlib';
import { logDamaged } from '../core/errors/change-log.ts';

/**
 * LMDB does not notice when a disk gives back something else than what it was given, and a value
 * that is wrong here would be a row that never was. So each value ends with a checksum of the rest.
 */
export const checksumBytes = 4;

/** Writes the checksum of everything before into the last bytes, which are there for it. */
export function seal(bytes: Buffer): Buffer {
  const end = bytes.length - checksumBytes;
  bytes.writeUInt32BE(crc32(bytes.subarray(0, end)), end);
  return bytes;
}

/** What was sealed, as it was. @throws PgError XX001 when it is not as it was */
export function unseal(bytes: Buffer, what: string): Buffer {
  const end = bytes.length - checksumBytes;
  if (end < 0) throw logDamaged(`${what} is too short.`);
  const content = bytes.subarray(0, end);
  if (crc32(content) !== bytes.readUInt32BE(end))
    throw logDamaged(`${what} is not as it was written.`);
  return content;
}
