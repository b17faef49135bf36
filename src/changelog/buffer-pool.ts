/**
 * Buffers of one size that are used again. One for each value that is written outlives the young
 * generation, and collecting them takes as much of a core as all that is done with them.
 */
export class BufferPool {
  readonly #size: number;
  readonly #countMax: number;
  readonly #free: ArrayBufferLike[] = [];

  constructor(size: number, countMax: number) {
    this.#size = size;
    this.#countMax = countMax;
  }

  /** A buffer of exactly that many bytes, with anything in it. */
  take(bytes: number): Buffer {
    if (bytes > this.#size) return Buffer.allocUnsafeSlow(bytes);
    const memory = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#size).buffer;
    return Buffer.from(memory, 0, bytes);
  }

  /** What was taken is not used any more. */
  giveBack({ buffer }: Buffer): void {
    if (buffer.byteLength !== this.#size || this.#free.length >= this.#countMax) return;
    this.#free.push(buffer);
  }
}
