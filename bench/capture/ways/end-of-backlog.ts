const commit = 0x43; // C
const streamCommit = 0x63; // c

/** Whether a message of pgoutput, `bytes[at, ...)`, commits a transaction that ends behind `lsn`. */
export function commitsBehind(bytes: Buffer, at: number, lsn: bigint): boolean {
  const type = bytes[at];
  if (type === commit) return bytes.readBigUInt64BE(at + 10) > lsn;
  return type === streamCommit && bytes.readBigUInt64BE(at + 14) > lsn;
}
