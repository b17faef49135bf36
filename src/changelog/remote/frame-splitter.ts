import { logStreamDamaged } from '../../core/errors/log-stream.ts';

const lengthBytes = 4;

/** Cuts what comes from a socket into frames, copying each byte at most once. */
export class FrameSplitter {
  /** Longest frame; one that says it is longer is refused before it is waited for. */
  bytesMax: number;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next whole frame, without its length. @throws PgError 08P01 for one that is too long */
  next(): Buffer | undefined {
    if (this.#length < lengthBytes) return undefined;
    const first = this.#chunks[0]!;
    const head = first.length < lengthBytes ? this.#joined() : first;
    const bytes = head.readUInt32BE(0);
    if (bytes > this.bytesMax) throw logStreamDamaged('A frame is too long.');
    const end = lengthBytes + bytes;
    if (this.#length < end) return undefined;
    const whole = this.#chunks[0]!.length < end ? this.#joined() : this.#chunks[0]!;
    const rest = whole.subarray(end);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#length -= end;
    return whole.subarray(lengthBytes, end);
  }

  #joined(): Buffer {
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}
