import { logStreamDamaged } from '../../core/errors/log-stream.ts';
import { nullLength, undefinedLength } from './byte-writer.ts';

/** Takes out what a `ByteWriter` has put. @throws PgError 08P01 for bytes that were not written so */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  integer(): number {
    const value = this.#bytes.readDoubleBE(this.#take(8));
    if (!Number.isSafeInteger(value)) throw logStreamDamaged('A number is no integer.');
    return value;
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  i64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  text(): string | null | undefined {
    const length = this.#bytes.readInt32BE(this.#take(4));
    if (length === nullLength) return null;
    if (length === undefinedLength) return undefined;
    if (length < 0) throw logStreamDamaged('A text has an impossible length.');
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  string(): string {
    const text = this.text();
    if (typeof text !== 'string') throw logStreamDamaged('A text is missing.');
    return text;
  }

  bytes(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** How many of something follow, each of at least so many bytes: bounds what is made room for. */
  countOf(count: number, bytesMin: number): number {
    if (count * bytesMin > this.#bytes.length - this.#at) {
      throw logStreamDamaged('There is less in a message than it says.');
    }
    return count;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw logStreamDamaged('A message is too long.');
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#bytes.length) throw logStreamDamaged('A message is cut off.');
    this.#at = at + bytes;
    return at;
  }
}
