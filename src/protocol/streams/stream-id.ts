/**
 * The id of a stream entry: the LSN of the commit and the index of the change in its transaction,
 * both as unsigned decimals of 64 bits, `24023128-0`.
 */
export type StreamId = { readonly lsn: bigint; readonly seq: bigint };

const uint64Max = 0xffff_ffff_ffff_ffffn;

export const firstStreamId: StreamId = { lsn: 0n, seq: 0n };
export const lastStreamId: StreamId = { lsn: uint64Max, seq: uint64Max };

/** `N-M`, or `N` with what is to stand for M. Undefined for every other text. */
export function parseStreamId(text: string, missingSeq: 'first' | 'last'): StreamId | undefined {
  const match = /^([0-9]{1,20})(?:-([0-9]{1,20}))?$/.exec(text);
  if (match === null) return undefined;
  const lsn = BigInt(match[1]!);
  const missing = missingSeq === 'first' ? 0n : uint64Max;
  const seq = match[2] === undefined ? missing : BigInt(match[2]);
  return lsn > uint64Max || seq > uint64Max ? undefined : { lsn, seq };
}

export function printStreamId({ lsn, seq }: StreamId): string {
  return `${lsn}-${seq}`;
}

export function compareStreamIds(left: StreamId, right: StreamId): number {
  if (left.lsn !== right.lsn) return left.lsn < right.lsn ? -1 : 1;
  if (left.seq === right.seq) return 0;
  return left.seq < right.seq ? -1 : 1;
}

/** The next id there can be; undefined behind the last one. */
export function nextStreamId({ lsn, seq }: StreamId): StreamId | undefined {
  if (seq < uint64Max) return { lsn, seq: seq + 1n };
  return lsn === uint64Max ? undefined : { lsn: lsn + 1n, seq: 0n };
}

/** The id before it; undefined before the first one. */
export function previousStreamId({ lsn, seq }: StreamId): StreamId | undefined {
  if (seq > 0n) return { lsn, seq: seq - 1n };
  return lsn === 0n ? undefined : { lsn: lsn - 1n, seq: uint64Max };
}
