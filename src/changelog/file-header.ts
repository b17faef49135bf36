import { closeSync, openSync, readSync } from 'node:fs';
import { logDamaged } from '../core/errors/change-log.ts';

/*
 * Meta page of LMDB: 0 page header · 24 magic u32 · 28 version u32 · 32 address · 40 map size ·
 * 48 page size u32. There are two, at the start of the first two pages; little-endian.
 */
const magic = 0xbeef_c0de;
const magicOffset = 24;
const pageSizeOffset = 48;
const metaBytes = 64;

/**
 * Whether a file is one of LMDB at all: given another, it would not say so but end the process.
 *
 * @throws PgError XX001
 */
export function checkFileHeader(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    const meta = Buffer.alloc(metaBytes);
    if (readSync(descriptor, meta, 0, metaBytes, 0) === 0) return; // It was just made.
    const pageBytes = meta.readUInt32LE(pageSizeOffset);
    if (meta.readUInt32LE(magicOffset) !== magic) throw notOurs(file);
    readSync(descriptor, meta, 0, metaBytes, pageBytes);
    if (meta.readUInt32LE(magicOffset) !== magic) throw notOurs(file);
  } finally {
    closeSync(descriptor);
  }
}

function notOurs(file: string): Error {
  return logDamaged(`The beginning of ${file} is not that of a log.`);
}
