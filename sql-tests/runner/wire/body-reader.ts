/** Reads the parts of a message body in order. Texts are decoded with the client's encoding. */
export class BodyReader {
  readonly #body: Buffer;
  readonly #encoding: BufferEncoding;
  #at = 0;

  constructor(body: Buffer, encoding: BufferEncoding) {
    this.#body = body;
    this.#encoding = encoding;
  }

  get atEnd(): boolean {
    return this.#at >= this.#body.length;
  }

  byte(): number {
    return this.#body.readUInt8(this.#advance(1));
  }

  int16(): number {
    return this.#body.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#body.readInt32BE(this.#advance(4));
  }

  oid(): number {
    return this.#body.readUInt32BE(this.#advance(4));
  }

  bytes(length: number): Buffer {
    const from = this.#advance(length);
    return this.#body.subarray(from, from + length);
  }

  text(): string {
    const from = this.#at;
    const end = this.#body.indexOf(0, from);
    this.#at = end + 1;
    return this.#body.toString(this.#encoding, from, end);
  }

  #advance(length: number): number {
    const from = this.#at;
    this.#at += length;
    return from;
  }
}
