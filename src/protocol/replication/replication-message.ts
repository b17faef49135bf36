import { keepaliveBytes } from './primary-keepalive.ts';
import { xlogDataHeadBytes } from './xlog-data.ts';

const xlogDataType = 0x77; // w
const keepaliveType = 0x6b; // k

export type ReplicationMessage = 'xlog-data' | 'keepalive' | 'malformed';

/** What the contents of a CopyData, `bytes[at, end)`, are on a replication connection. */
export function replicationMessageAt(bytes: Buffer, at: number, end: number): ReplicationMessage {
  const length = Math.min(end, bytes.length) - at;
  if (length >= xlogDataHeadBytes && bytes[at] === xlogDataType) return 'xlog-data';
  if (length >= keepaliveBytes && bytes[at] === keepaliveType) return 'keepalive';
  return 'malformed';
}
