/**
 * A run of frames: each the length of its payload (u32), where it stands in the WAL (u64) and the
 * payload, a pgoutput message whose relation OIDs are table version ids.
 */
export const frameHeaderBytes = 12;

/** How many changes of which table version a run of frames holds. */
export class VersionCounts {
  readonly #counts: Map<number, number> = new Map();
  // Most frames are of the table of the frame before.
  #lastVersion = -1;
  #lastCount = 0;

  add(version: number, changes: number): void {
    if (version === this.#lastVersion) {
      this.#lastCount += changes;
      return;
    }
    this.#settle();
    this.#lastVersion = version;
    this.#lastCount = (this.#counts.get(version) ?? 0) + changes;
  }

  addAll(other: VersionCounts): void {
    // A Map is dear beside what else a small transaction costs, and most are of one table.
    if (other.#counts.size === 0) {
      if (other.#lastVersion >= 0) this.add(other.#lastVersion, other.#lastCount);
      return;
    }
    for (const [version, count] of other.entries()) this.add(version, count);
  }

  entries(): ReadonlyMap<number, number> {
    this.#settle();
    return this.#counts;
  }

  clear(): void {
    this.#lastVersion = -1;
    if (this.#counts.size > 0) this.#counts.clear();
  }

  #settle(): void {
    if (this.#lastVersion >= 0) this.#counts.set(this.#lastVersion, this.#lastCount);
  }
}

/** Bytes that grow as they are appended to; what was taken out is never touched again. */
export class GrowingBytes {
  #bytes: Buffer;
  /** Of the same memory: what Buffer writes 64 bits with allocates. */
  #numbers: DataView;
  #length = 0;
  readonly #initialBytes: number;

  constructor(initialBytes: number) {
    this.#initialBytes = initialBytes;
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.#numbers = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Makes room and answers where it begins. */
  reserve(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length));
      this.#bytes.copy(grown, 0, 0, at);
      this.#use(grown);
    }
    return at;
  }

  /** 64 bits, with a sign or without. */
  writeInt64(at: number, value: bigint): void {
    this.#numbers.setBigInt64(at, value);
  }

  /** Valid until the next `reserve`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** What was appended, to be kept by the caller no longer than until `clear`. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    // One giant frame must not keep its memory for ever.
    if (this.#bytes.length > 4 * this.#initialBytes) {
      this.#use(Buffer.allocUnsafeSlow(this.#initialBytes));
    }
  }

  #use(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#numbers = new DataView(bytes.buffer);
  }
}
