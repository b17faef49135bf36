import { logDamaged } from '../core/errors/change-log.ts';
import type { BufferPool } from './buffer-pool.ts';
import { checksumBytes, seal, unseal } from './checked-bytes.ts';
import { formatVersion } from './format.ts';
import type { GrowingBytes, VersionCounts } from './frames.ts';

/*
 * Block:  0 format u8 · 1 zero · 4 transactions u32 · 8 last commit LSN u64 ·
 *         16 bytes of its segments u64 · 24 changes of the last transaction u32 ·
 *         28 table versions u32 · 32 (version u32, changes u32)... · transactions · checksum u32
 * Transaction: 0 bytes u32 · 4 flags u8 · 5 zero · 8 commit LSN u64 · 16 end LSN u64 ·
 *         24 commit time i64, µs since 1970 · 32 xid u64 · 40 changes u32 · 44 zero u32 ·
 *         48 frames, or segment u64 and its bytes u64
 */
const blockHeaderBytes = 32;
const versionEntryBytes = 8;
export const transactionHeaderBytes = 48;
const segmentReferenceBytes = 16;

const inSegment = 1;
const framesHaveSubxids = 2;

/** A committed transaction, as it is written. */
export type CommittedTransaction = {
  readonly commitLsn: bigint;
  readonly endLsn: bigint;
  /** Microseconds since 1970. */
  readonly committedAt: bigint;
  readonly xid: bigint;
  readonly changes: number;
  /** Whether its frames carry the id of their subtransaction (streamed while in progress). */
  readonly hasSubxids: boolean;
};

/** Where its frames are. */
export type FramesPlace =
  | { readonly kind: 'inline'; readonly frames: Buffer }
  | { readonly kind: 'segment'; readonly segment: bigint; readonly bytes: number };

export function recordBytes(place: FramesPlace): number {
  const rest = place.kind === 'inline' ? place.frames.length : segmentReferenceBytes;
  return transactionHeaderBytes + rest;
}

/** Writes a transaction record of `recordBytes` at an offset. */
export function writeRecord(
  records: GrowingBytes,
  at: number,
  transaction: CommittedTransaction,
  place: FramesPlace,
): void {
  const { bytes } = records;
  bytes.writeUInt32BE(recordBytes(place), at);
  bytes.writeUInt32BE(0, at + 4);
  bytes[at + 4] =
    (place.kind === 'segment' ? inSegment : 0) | (transaction.hasSubxids ? framesHaveSubxids : 0);
  records.writeInt64(at + 8, transaction.commitLsn);
  records.writeInt64(at + 16, transaction.endLsn);
  records.writeInt64(at + 24, transaction.committedAt);
  records.writeInt64(at + 32, transaction.xid);
  bytes.writeUInt32BE(transaction.changes, at + 40);
  bytes.writeUInt32BE(0, at + 44);
  if (place.kind === 'inline') place.frames.copy(bytes, at + transactionHeaderBytes);
  else {
    records.writeInt64(at + transactionHeaderBytes, place.segment);
    records.writeInt64(at + transactionHeaderBytes + 8, BigInt(place.bytes));
  }
}

/** A block of finished records. */
export function encodeBlock(block: {
  readonly transactions: number;
  readonly lastCommitLsn: bigint;
  readonly lastChanges: number;
  readonly segmentBytes: number;
  readonly counts: VersionCounts;
  readonly records: Buffer;
  readonly buffers: BufferPool;
}): Buffer {
  const counts = block.counts.entries();
  const headerBytes = blockHeaderBytes + counts.size * versionEntryBytes;
  const bytes = block.buffers.take(headerBytes + block.records.length + checksumBytes);
  bytes[0] = formatVersion;
  bytes.fill(0, 1, 4);
  bytes.writeUInt32BE(block.transactions, 4);
  bytes.writeBigUInt64BE(block.lastCommitLsn, 8);
  bytes.writeBigUInt64BE(BigInt(block.segmentBytes), 16);
  bytes.writeUInt32BE(block.lastChanges, 24);
  bytes.writeUInt32BE(counts.size, 28);
  let at = blockHeaderBytes;
  for (const [version, changes] of counts) {
    bytes.writeUInt32BE(version, at);
    bytes.writeUInt32BE(changes, at + 4);
    at += versionEntryBytes;
  }
  block.records.copy(bytes, headerBytes);
  return seal(bytes);
}

/** The bytes of a block as they were sealed; to be read by the functions below. @throws PgError XX001 */
export function openBlock(bytes: Buffer): Buffer {
  return unseal(bytes, 'A block');
}

/** The head of a block. */
export type BlockHeader = {
  readonly transactions: number;
  readonly lastCommitLsn: bigint;
  readonly lastChanges: number;
  readonly segmentBytes: number;
  readonly counts: ReadonlyMap<number, number>;
  /** Where the first transaction record begins. */
  readonly recordsFrom: number;
};

export function decodeBlockHeader(bytes: Buffer): BlockHeader {
  if (bytes.length < blockHeaderBytes) throw logDamaged('A block is too short.');
  if (bytes[0] !== formatVersion) throw logDamaged(`A block has format ${bytes[0]}.`);
  const entries = bytes.readUInt32BE(28);
  const recordsFrom = blockHeaderBytes + entries * versionEntryBytes;
  if (bytes.length < recordsFrom) throw logDamaged('A block is cut off in its header.');
  const counts = new Map<number, number>();
  for (let at = blockHeaderBytes; at < recordsFrom; at += versionEntryBytes) {
    counts.set(bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4));
  }
  return {
    transactions: bytes.readUInt32BE(4),
    lastCommitLsn: bytes.readBigUInt64BE(8),
    lastChanges: bytes.readUInt32BE(24),
    segmentBytes: Number(bytes.readBigUInt64BE(16)),
    counts,
    recordsFrom,
  };
}

/** A transaction as it is read: `frames` is a view of the block. */
export type TransactionRecord = CommittedTransaction & { readonly place: FramesPlace };

export function* decodeRecords(bytes: Buffer, header: BlockHeader): Generator<TransactionRecord> {
  let at = header.recordsFrom;
  for (let count = 0; count < header.transactions; count += 1) {
    if (at + transactionHeaderBytes > bytes.length) throw logDamaged('A block is cut off.');
    const end = at + bytes.readUInt32BE(at);
    const isInSegment = (bytes[at + 4]! & inSegment) !== 0;
    const least = transactionHeaderBytes + (isInSegment ? segmentReferenceBytes : 0);
    if (end > bytes.length || end < at + least) {
      throw logDamaged('A transaction has an impossible length.');
    }
    yield decodeRecord(bytes, at, end);
    at = end;
  }
}

function decodeRecord(bytes: Buffer, at: number, end: number): TransactionRecord {
  const flags = bytes[at + 4]!;
  const from = at + transactionHeaderBytes;
  return {
    commitLsn: bytes.readBigUInt64BE(at + 8),
    endLsn: bytes.readBigUInt64BE(at + 16),
    committedAt: bytes.readBigInt64BE(at + 24),
    xid: bytes.readBigUInt64BE(at + 32),
    changes: bytes.readUInt32BE(at + 40),
    hasSubxids: (flags & framesHaveSubxids) !== 0,
    place:
      (flags & inSegment) === 0
        ? { kind: 'inline', frames: bytes.subarray(from, end) }
        : {
            kind: 'segment',
            segment: bytes.readBigUInt64BE(from),
            bytes: Number(bytes.readBigUInt64BE(from + 8)),
          },
  };
}
