/** One message as it came: its type byte and its body without the length. */
export type Frame = { readonly type: string; readonly body: Buffer };

/** Cuts a byte stream into messages, however the network chopped it. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= 5) {
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      if (end > bytes.length) break;
      frames.push({
        type: String.fromCharCode(bytes[at] ?? 0),
        body: bytes.subarray(at + 5, end),
      });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}
