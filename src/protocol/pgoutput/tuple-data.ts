import type { Tuple } from '../../contracts/change.ts';
import { changeDamaged, changeInBinary } from '../../core/errors/changes.ts';
import { FrameCursor } from './frame-cursor.ts';

const nullValue = 0x6e; // n
const unchangedValue = 0x75; // u
const textValue = 0x74; // t
const binaryValue = 0x62; // b

/** First byte of a tuple: the old row's key, the old row, the new row. */
export const tupleKind = {
  key: 0x4b, // K
  old: 0x4f, // O
  new: 0x4e, // N
} as const;

/** The values of a new row or of a whole old one. */
export function readTuple(cursor: FrameCursor): Tuple {
  return readValues(cursor, null);
}

/**
 * The values of an old row of which only the replica identity is known. Its columns cannot be NULL;
 * Postgres sends NULL for all the others.
 */
export function readKeyTuple(cursor: FrameCursor): Tuple {
  return readValues(cursor, undefined);
}

function readValues(cursor: FrameCursor, forNull: null | undefined): Tuple {
  const count = cursor.uint16();
  const values: (string | null | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const kind = cursor.byte();
    if (kind === textValue) values.push(readText(cursor));
    else if (kind === nullValue) values.push(forNull);
    else if (kind === unchangedValue) values.push(undefined);
    else throw unexpectedKind(kind);
  }
  return values;
}

/** Most values are short and ASCII; for these a loop is several times faster than a call to C++. */
const loopedTextBytesMax = 5;

function readText(cursor: FrameCursor): string {
  const length = cursor.int32();
  const to = cursor.skip(length);
  const { bytes } = cursor;
  const from = to - length;
  if (length > loopedTextBytesMax) return bytes.toString('utf8', from, to);
  let text = '';
  for (let at = from; at < to; at++) {
    const unit = bytes[at]!;
    if (unit > 0x7f) return bytes.toString('utf8', from, to);
    text += String.fromCharCode(unit);
  }
  return text;
}

/**
 * Where the tuple at `at`, behind its kind, ends; it ends before `end`. Its texts are not looked at.
 */
export function skipTuple(bytes: Buffer, at: number, end: number): number {
  const cursor = new FrameCursor(bytes, at, end);
  const count = cursor.uint16();
  for (let i = 0; i < count; i++) {
    const kind = cursor.byte();
    if (kind === textValue) cursor.skip(cursor.int32());
    else if (kind !== nullValue && kind !== unchangedValue) throw unexpectedKind(kind);
  }
  return cursor.at;
}

function unexpectedKind(kind: number): Error {
  return kind === binaryValue
    ? changeInBinary()
    : changeDamaged(`A value is of kind ${kind}, which there is not.`);
}
