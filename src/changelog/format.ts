import { checksumBytes, seal, unseal } from './checked-bytes.ts';

/**
 * How the change log lies on disk: one LMDB environment for each captured database, with these
 * databases in it. Numbers are big-endian, so that keys sort as what they stand for.
 *
 * - `meta`: `state` (JSON, `log-state.ts`), `tail` (what a waiting reader looks at) and `samples`
 *   (`stored-samples.ts`).
 * - `blocks`: (epoch u32, first commit LSN u64) → a block, transactions in commit order.
 * - `segments`: (segment u64, number u32) → a chunk of the frames of one large transaction;
 *   number `segmentIndexNumber` → how many changes each chunk holds.
 * - `open`: segment u64 → empty; a segment whose transaction has not committed yet.
 * - `versions`: table version u32 → JSON (`table-versions.ts`).
 * - `index`: (table version u32, epoch u32, block's LSN u64) → changes u32 of it in the block.
 * - `cursors`: reader name → JSON (`cursors.ts`).
 *
 * Each value but those of `open` and `index` ends with a checksum (`checked-bytes.ts`).
 *
 * History of `formatVersion`:
 * - 1: the first.
 */
export const formatVersion = 1;

export const databaseNames = [
  'meta',
  'blocks',
  'segments',
  'open',
  'versions',
  'index',
  'cursors',
] as const;
export type DatabaseName = (typeof databaseNames)[number];

/** Stands for schema changes wherever a table version is asked for. */
export const schemaVersionId = 0;
/** The number of a segment's index among its chunks. */
export const segmentIndexNumber = 0xffff_ffff;

export const stateKey: Buffer = Buffer.from('state');
export const tailKey: Buffer = Buffer.from('tail');
export const samplesKey: Buffer = Buffer.from('samples');
export const exclusionsKey: Buffer = Buffer.from('exclusions');

export function blockKey(epoch: number, lsn: bigint): Buffer {
  const key = Buffer.allocUnsafe(12);
  key.writeUInt32BE(epoch, 0);
  key.writeBigUInt64BE(lsn, 4);
  return key;
}

export function readBlockKey(key: Buffer): { readonly epoch: number; readonly lsn: bigint } {
  return { epoch: key.readUInt32BE(0), lsn: key.readBigUInt64BE(4) };
}

export function segmentKey(segment: bigint, number: number): Buffer {
  const key = Buffer.allocUnsafe(12);
  key.writeBigUInt64BE(segment, 0);
  key.writeUInt32BE(number, 8);
  return key;
}

export function openKey(segment: bigint): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeBigUInt64BE(segment, 0);
  return key;
}

export function versionKey(version: number): Buffer {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(version, 0);
  return key;
}

export function indexKey(version: number, epoch: number, lsn: bigint): Buffer {
  const key = Buffer.allocUnsafe(16);
  key.writeUInt32BE(version, 0);
  key.writeUInt32BE(epoch, 4);
  key.writeBigUInt64BE(lsn, 8);
  return key;
}

/** What a reader that waits compares, written with every flush. */
export type Tail = {
  readonly epoch: number;
  /** Of the last transaction in the log; 0 when there is none in this epoch. */
  readonly lastCommitLsn: bigint;
  readonly lastChanges: number;
  readonly endLsn: bigint;
};

export function encodeTail(tail: Tail): Buffer {
  const bytes = Buffer.allocUnsafe(24 + checksumBytes);
  bytes.writeUInt32BE(tail.epoch, 0);
  bytes.writeUInt32BE(tail.lastChanges, 4);
  bytes.writeBigUInt64BE(tail.lastCommitLsn, 8);
  bytes.writeBigUInt64BE(tail.endLsn, 16);
  return seal(bytes);
}

export function decodeTail(sealed: Buffer): Tail {
  const bytes = unseal(sealed, 'Its tail');
  return {
    epoch: bytes.readUInt32BE(0),
    lastChanges: bytes.readUInt32BE(4),
    lastCommitLsn: bytes.readBigUInt64BE(8),
    endLsn: bytes.readBigUInt64BE(16),
  };
}
