import { headerBytes } from './message-types.ts';

/** The first value of a whole DataRow in text format; null for NULL and where there is none. */
export function decodeFirstValue(bytes: Buffer, start: number, end: number): string | null {
  return firstValue(bytes, start, end)?.toString('utf8') ?? null;
}

/** The same as bytes, in the encoding of the client; a copy. */
export function firstValue(bytes: Buffer, start: number, end: number): Buffer | null {
  const from = start + headerBytes + 2;
  if (from + 4 > end) return null;
  const length = bytes.readInt32BE(from);
  if (length < 0 || from + 4 + length > end) return null;
  return Buffer.from(bytes.subarray(from + 4, from + 4 + length));
}
