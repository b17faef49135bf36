import { once } from 'node:events';
import net from 'node:net';

/** A reply as it came: errors as `Error`, simple strings as `+OK`, maps and sets marked. */
export type RespValue =
  | string
  | number
  | bigint
  | null
  | Error
  | readonly RespValue[]
  | { readonly map: readonly RespValue[] }
  | { readonly set: readonly RespValue[] };

/** A client that sends exactly the bytes it is told to and shows exactly what comes back. */
export class RespClient {
  readonly socket: net.Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #arrived: () => void = () => undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#arrived();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#arrived();
    });
  }

  static async connect(port: number): Promise<RespClient> {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new RespClient(socket);
  }

  /** Sends a request and returns the next reply. */
  call(...args: readonly (string | Buffer)[]): Promise<RespValue> {
    this.send(...args);
    return this.reply();
  }

  send(...args: readonly (string | Buffer)[]): void {
    this.socket.write(encodeRequest(args));
  }

  async reply(): Promise<RespValue> {
    for (;;) {
      const read = readValue(this.#bytes, 0);
      if (read !== undefined) {
        this.#bytes = this.#bytes.subarray(read.end);
        return read.value;
      }
      if (this.#isClosed) throw new Error(`closed before a reply: ${this.#bytes}`);
      await this.#arrival();
    }
  }

  /** All that comes until the other side closes. */
  async rest(): Promise<string> {
    while (!this.#isClosed) await this.#arrival();
    return this.#bytes.toString();
  }

  /** The bytes of the next reply. */
  async raw(...args: readonly (string | Buffer)[]): Promise<string> {
    this.send(...args);
    for (;;) {
      const read = readValue(this.#bytes, 0);
      if (read !== undefined) {
        const text = this.#bytes.toString('latin1', 0, read.end);
        this.#bytes = this.#bytes.subarray(read.end);
        return text;
      }
      if (this.#isClosed) throw new Error(`closed before a reply: ${this.#bytes}`);
      await this.#arrival();
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }
}

export function encodeRequest(args: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.from(arg);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

type Read = { readonly value: RespValue; readonly end: number };

function readValue(bytes: Buffer, start: number): Read | undefined {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const text = bytes.toString('utf8', start + 1, lineEnd);
  const end = lineEnd + 2;
  const mark = String.fromCharCode(bytes[start]!);
  switch (mark) {
    case '+':
      return { value: `+${text}`, end };
    case '-':
      return { value: new Error(text), end };
    case ':':
      return { value: Number(text), end };
    case '_':
      return { value: null, end };
    case '$':
    case '=': {
      const length = Number(text);
      if (length === -1) return { value: null, end };
      if (bytes.length < end + length + 2) return undefined;
      const from = mark === '=' ? end + 'txt:'.length : end;
      return { value: bytes.toString('utf8', from, end + length), end: end + length + 2 };
    }
    default:
      return readItems(bytes, { mark, count: Number(text), end });
  }
}

function readItems(
  bytes: Buffer,
  head: { readonly mark: string; readonly count: number; readonly end: number },
): Read | undefined {
  if (head.count === -1) return { value: null, end: head.end };
  const items: RespValue[] = [];
  let { end } = head;
  const count = head.mark === '%' ? 2 * head.count : head.count;
  for (let index = 0; index < count; index++) {
    const item = readValue(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.value);
    end = item.end;
  }
  if (head.mark === '%') return { value: { map: items }, end };
  return { value: head.mark === '~' ? { set: items } : items, end };
}
