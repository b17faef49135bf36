import { logStreamDamaged } from '../../core/errors/log-stream.ts';
import { GrowingBytes } from '../frames.ts';

const initialBytes = 1_024;
/** Instead of the length of a text: the two values that are none. */
export const nullLength = -1;
export const undefinedLength = -2;

/** Puts values one after the other. What does not fit its place is refused, never cut. */
export class ByteWriter {
  readonly #grown: GrowingBytes = new GrowingBytes(initialBytes);

  get length(): number {
    return this.#grown.length;
  }

  /** Valid until something is written. */
  view(): Buffer {
    return this.#grown.view();
  }

  u8(value: number): void {
    const at = this.#grown.reserve(1);
    this.#grown.bytes[at] = value;
  }

  u16(value: number): void {
    if (value > 0xffff) throw logStreamDamaged(`${value} is more than there is room for.`);
    const at = this.#grown.reserve(2);
    this.#grown.bytes.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
      throw logStreamDamaged(`${value} is no number of 32 bits.`);
    }
    const at = this.#grown.reserve(4);
    this.#grown.bytes.writeUInt32BE(value, at);
  }

  /** Any integer that JavaScript holds exactly; a position has -1 too. */
  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw logStreamDamaged(`${value} is no exact integer.`);
    const at = this.#grown.reserve(8);
    this.#grown.bytes.writeDoubleBE(value, at);
  }

  u64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) {
      throw logStreamDamaged(`${value} is no number of 64 bits.`);
    }
    const at = this.#grown.reserve(8);
    this.#grown.bytes.writeBigUInt64BE(value, at);
  }

  i64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) {
      throw logStreamDamaged(`${value} is no number of 64 bits.`);
    }
    const at = this.#grown.reserve(8);
    this.#grown.bytes.writeBigInt64BE(value, at);
  }

  /** A text, null or undefined, which are three different things. */
  text(value: string | null | undefined): void {
    const bytes = value ? Buffer.byteLength(value) : 0;
    const at = this.#grown.reserve(4 + bytes);
    const length = value === undefined ? undefinedLength : value === null ? nullLength : bytes;
    this.#grown.bytes.writeInt32BE(length, at);
    if (value) this.#grown.bytes.write(value, at + 4);
  }
}
