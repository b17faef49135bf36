import { changeDamaged } from '../../core/errors/changes.ts';
import { endOfString } from '../c-string.ts';
import { postgresEpochMicros } from '../postgres-time.ts';
import { hasSubxid } from './message-type.ts';

/** Reads one pgoutput message, `bytes[start, end)`; every read is checked against its end. */
export class FrameCursor {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.end = end < bytes.length ? end : bytes.length;
    this.at = start;
  }

  byte(): number {
    return this.bytes[this.#take(1)]!;
  }

  uint16(): number {
    const at = this.#take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  int32(): number {
    const at = this.#take(4);
    const { bytes } = this;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  lsn(): bigint {
    return this.bytes.readBigUInt64BE(this.#take(8));
  }

  /** Microseconds since 1970. */
  time(): bigint {
    return this.bytes.readBigInt64BE(this.#take(8)) + postgresEpochMicros;
  }

  /** A NUL-terminated text. */
  text(): string {
    const to = this.at < this.end ? endOfString(this.bytes, this.at, this.end) : -1;
    if (to === -1) throw changeDamaged('A text has no end.');
    const text = this.bytes.toString('utf8', this.at, to);
    this.at = to + 1;
    return text;
  }

  /** Leaves `length` bytes out; returns where they end. */
  skip(length: number): number {
    return this.#take(length) + length;
  }

  /** What is not read may be anything, so a message that is longer than it says is not believed. */
  finish(): void {
    if (this.at !== this.end) {
      throw changeDamaged(`It has ${this.end - this.at} more bytes than it says.`);
    }
  }

  #take(length: number): number {
    const at = this.at;
    // A length is an int32: it may be negative, the sum cannot overflow.
    if (length < 0 || at + length > this.end) {
      throw changeDamaged(`It ends ${Math.max(0, this.end - at)} bytes on, ${length} are wanted.`);
    }
    this.at = at + length;
    return at;
  }
}

/** A cursor behind the type byte, which must be `type`. */
export function openFrame(bytes: Buffer, start: number, end: number, type: number): FrameCursor {
  const cursor = new FrameCursor(bytes, start, end);
  const found = cursor.byte();
  if (found !== type) throw changeDamaged(`Its type is ${found}, not ${type}.`);
  return cursor;
}

/** The (sub)transaction id of a message inside a stream. */
export function readSubxid(
  cursor: FrameCursor,
  type: number,
  streamed: boolean,
): number | undefined {
  return streamed && hasSubxid(type) ? cursor.uint32() : undefined;
}
