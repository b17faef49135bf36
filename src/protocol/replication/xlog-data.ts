/**
 * XLogData: a piece of the stream, one pgoutput message. `at` is where the contents of its CopyData
 * begin. Nothing is checked here: `replicationMessageAt` has told that all of the head is there.
 */

/** Before the pgoutput message: the type, two LSNs and a time. */
export const xlogDataHeadBytes: number = 25;

/** Where the message stands in the WAL; 0 for those that stand nowhere, such as a Relation. */
export function xlogDataStartLsn(bytes: Buffer, at: number): bigint {
  return bytes.readBigUInt64BE(at + 1);
}

/** How far the server had decoded when it sent this; logical decoding repeats the start. */
export function xlogDataEndLsn(bytes: Buffer, at: number): bigint {
  return bytes.readBigUInt64BE(at + 9);
}

/** When it was sent, by the clock of the server, in microseconds since 2000. */
export function xlogDataSentAt(bytes: Buffer, at: number): bigint {
  return bytes.readBigInt64BE(at + 17);
}
