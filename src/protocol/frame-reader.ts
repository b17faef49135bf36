import { headerBytes } from './message-types.ts';

/**
 * What `next` found.
 * - `head`: a message begins; `type`, `frameBytes` and the slice are set.
 * - `rest`: more bytes of the same message; the slice is set.
 * - `hungry`: push another chunk.
 * - `broken`: a length no message can have. The bytes from there on are in `takeUnread`.
 */
export type FrameStep = 'head' | 'rest' | 'hungry' | 'broken';

/** How many bytes of a message, header included, its head must hold at least. */
export type HeadBytes = (type: number, frameBytes: number) => number;

const emptyBuffer: Buffer = Buffer.alloc(0);
/** Postgres reads the length as a signed 32-bit number. */
const lengthMax = 0x7fff_ffff;

/**
 * Finds the messages in a stream of bytes without copying or re-encoding them. The caller says how
 * much of each message it wants to see at once; only a head that is split across chunks is put
 * together in a buffer of its own, everything else is given out as slices of the chunks.
 *
 * The slices, in order and taken together, are exactly the bytes that were pushed.
 */
export class FrameReader {
  /** Type byte of the current message. */
  type = 0;
  /** Size of the current message, header included. */
  frameBytes = 0;
  /** The slice is `bytes[start, end)`. */
  bytes: Buffer = emptyBuffer;
  start = 0;
  end = 0;

  readonly #headBytes: HeadBytes;
  #chunk: Buffer = emptyBuffer;
  #offset = 0;
  #remaining = 0;
  #collected: Buffer = emptyBuffer;
  #collectedBytes = 0;
  #neededBytes = headerBytes;
  #headerRead = false;

  constructor(headBytes: HeadBytes) {
    this.#headBytes = headBytes;
  }

  /** Whether the bytes pushed so far end where a message ends. */
  get isAtBoundary(): boolean {
    return (
      this.#remaining === 0 && this.#collectedBytes === 0 && this.#offset === this.#chunk.length
    );
  }

  /** Only after `next` returned `hungry`. The chunk must not change afterwards. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#offset = 0;
  }

  next(): FrameStep {
    if (this.#remaining > 0) return this.#nextRest();
    if (this.#collectedBytes > 0) return this.#collect();
    const available = this.#chunk.length - this.#offset;
    if (available === 0) return this.#hungry();
    if (available < headerBytes) return this.#collect();
    if (!this.#readHeader(this.#chunk, this.#offset)) return 'broken';
    if (available < this.#neededBytes) {
      this.#headerRead = true;
      return this.#collect();
    }
    const sliceBytes = Math.min(this.frameBytes, available);
    this.#slice(this.#chunk, this.#offset, sliceBytes);
    this.#offset += sliceBytes;
    return 'head';
  }

  /** The bytes that were pushed but not given out. The reader is of no use afterwards. */
  takeUnread(): Buffer {
    const unread = Buffer.concat([
      this.#collected.subarray(0, this.#collectedBytes),
      this.#chunk.subarray(this.#offset),
    ]);
    this.#collectedBytes = 0;
    this.#hungry();
    return unread;
  }

  #hungry(): FrameStep {
    this.#chunk = emptyBuffer;
    this.#offset = 0;
    return 'hungry';
  }

  #nextRest(): FrameStep {
    const available = this.#chunk.length - this.#offset;
    if (available === 0) return this.#hungry();
    const restBytes = Math.min(this.#remaining, available);
    const remaining = this.#remaining - restBytes;
    this.bytes = this.#chunk;
    this.start = this.#offset;
    this.end = this.#offset + restBytes;
    this.#remaining = remaining;
    this.#offset = this.end;
    return 'rest';
  }

  /** Puts a head together that is split across chunks. */
  #collect(): FrameStep {
    for (;;) {
      this.#fill();
      if (this.#collectedBytes < this.#neededBytes) return this.#hungry();
      if (this.#headerRead) break;
      if (!this.#readHeader(this.#collected, 0)) return 'broken';
      this.#headerRead = true;
    }
    this.#slice(this.#collected, 0, this.#neededBytes);
    this.#collected = emptyBuffer;
    this.#collectedBytes = 0;
    this.#headerRead = false;
    this.#neededBytes = headerBytes;
    return 'head';
  }

  #fill(): void {
    const wantedBytes = this.#neededBytes - this.#collectedBytes;
    const takenBytes = Math.min(wantedBytes, this.#chunk.length - this.#offset);
    if (takenBytes === 0) return;
    const heldBytes = this.#collectedBytes + takenBytes;
    if (heldBytes > this.#collected.length) {
      // Doubling, so that neither a slow trickle nor a bold length costs more than it brings.
      const grown = Buffer.allocUnsafe(
        Math.max(heldBytes, Math.min(this.#neededBytes, 2 * heldBytes)),
      );
      this.#collected.copy(grown, 0, 0, this.#collectedBytes);
      this.#collected = grown;
    }
    this.#chunk.copy(
      this.#collected,
      this.#collectedBytes,
      this.#offset,
      this.#offset + takenBytes,
    );
    this.#collectedBytes = heldBytes;
    this.#offset += takenBytes;
  }

  #readHeader(bytes: Buffer, at: number): boolean {
    const length = bytes.readUInt32BE(at + 1);
    if (length < 4 || length > lengthMax) return false;
    this.type = bytes[at]!;
    this.frameBytes = length + 1;
    const wantedBytes = this.#headBytes(this.type, this.frameBytes);
    this.#neededBytes = Math.max(headerBytes, Math.min(wantedBytes, this.frameBytes));
    return true;
  }

  #slice(bytes: Buffer, start: number, sliceBytes: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = start + sliceBytes;
    this.#remaining = this.frameBytes - sliceBytes;
    this.#neededBytes = headerBytes;
  }
}
