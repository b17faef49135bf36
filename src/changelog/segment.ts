import { logDamaged } from '../core/errors/change-log.ts';
import type { BufferPool } from './buffer-pool.ts';
import { checksumBytes, seal, unseal } from './checked-bytes.ts';
import { formatVersion } from './format.ts';
import { frameHeaderBytes, type VersionCounts } from './frames.ts';

/*
 * Chunk:  0 format u8 · 1 zero · 4 changes u32 · 8 table versions u32 · 12 version u32... ·
 *         frames · checksum u32
 * Index:  chunk number u32, changes in it u32, ... · checksum u32
 */
const chunkHeaderBytes = 12;

/** A part of the frames of a large transaction. */
export function encodeChunk(
  frames: Buffer,
  changes: number,
  counts: VersionCounts,
  buffers: BufferPool,
): Buffer {
  const versions = [...counts.entries().keys()];
  const framesFrom = chunkHeaderBytes + 4 * versions.length;
  const bytes = buffers.take(framesFrom + frames.length + checksumBytes);
  bytes[0] = formatVersion;
  bytes.fill(0, 1, 4);
  bytes.writeUInt32BE(changes, 4);
  bytes.writeUInt32BE(versions.length, 8);
  for (const [index, version] of versions.entries()) {
    bytes.writeUInt32BE(version, chunkHeaderBytes + 4 * index);
  }
  frames.copy(bytes, framesFrom);
  return seal(bytes);
}

export type Chunk = {
  readonly changes: number;
  readonly versions: ReadonlySet<number>;
  readonly frames: Buffer;
};

export function decodeChunk(sealed: Buffer): Chunk {
  const bytes = unseal(sealed, 'A chunk');
  if (bytes.length < chunkHeaderBytes) throw logDamaged('A chunk is too short.');
  if (bytes[0] !== formatVersion) throw logDamaged(`A chunk has format ${bytes[0]}.`);
  const framesFrom = chunkHeaderBytes + 4 * bytes.readUInt32BE(8);
  if (bytes.length < framesFrom) throw logDamaged('A chunk is cut off in its header.');
  const versions = new Set<number>();
  for (let at = chunkHeaderBytes; at < framesFrom; at += 4) versions.add(bytes.readUInt32BE(at));
  return { changes: bytes.readUInt32BE(4), versions, frames: bytes.subarray(framesFrom) };
}

/** How many changes each chunk of a segment holds, in order. */
export type SegmentIndex = readonly { readonly number: number; readonly changes: number }[];

export function encodeSegmentIndex(index: SegmentIndex): Buffer {
  const bytes = Buffer.allocUnsafeSlow(8 * index.length + checksumBytes);
  for (const [at, { number, changes }] of index.entries()) {
    bytes.writeUInt32BE(number, 8 * at);
    bytes.writeUInt32BE(changes, 8 * at + 4);
  }
  return seal(bytes);
}

export function decodeSegmentIndex(sealed: Buffer): SegmentIndex {
  const bytes = unseal(sealed, 'The index of a segment');
  if (bytes.length % 8 !== 0) throw logDamaged('The index of a segment is cut off.');
  return Array.from({ length: bytes.length / 8 }, (_, at) => ({
    number: bytes.readUInt32BE(8 * at),
    changes: bytes.readUInt32BE(8 * at + 4),
  }));
}

/** Calls with the bounds of each payload. */
export function forEachFrame(frames: Buffer, visit: (start: number, end: number) => void): void {
  let at = 0;
  while (at < frames.length) {
    const start = at + frameHeaderBytes;
    if (start > frames.length) throw logDamaged('A frame is cut off.');
    const end = start + frames.readUInt32BE(at);
    if (end > frames.length) throw logDamaged('A frame has an impossible length.');
    visit(start, end);
    at = end;
  }
}
