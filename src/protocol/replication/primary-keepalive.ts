/**
 * Primary keepalive: how far the server has read the WAL. `at` is where the contents of its CopyData
 * begin; `replicationMessageAt` has told that all of it is there.
 */

/** The type, an LSN, a time and a flag. */
export const keepaliveBytes: number = 18;

/** All of the WAL before it was looked at, and what of it is published was sent. */
export function keepaliveEndLsn(bytes: Buffer, at: number): bigint {
  return bytes.readBigUInt64BE(at + 1);
}

/** When it was sent, by the clock of the server, in microseconds since 2000. */
export function keepaliveSentAt(bytes: Buffer, at: number): bigint {
  return bytes.readBigInt64BE(at + 9);
}

/** The server disconnects soon unless it gets a status update. */
export function keepaliveWantsReply(bytes: Buffer, at: number): boolean {
  return bytes[at + 17] !== 0;
}
