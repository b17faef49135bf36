import { connect, type Socket } from 'node:net';
import { cancelRequest, MessageWriter } from './client-messages.ts';
import { FrameSplitter } from './frames.ts';
import { decodeServerMessage, type ServerMessage } from './server-messages.ts';

export type Address = { readonly host: string; readonly port: number };

/** How long one answer may take before the test is called hung, ms. */
const answerDeadlineMs = 30_000;

/** Characters of `client_encoding` values the runner can write; any other is sent as UTF-8. */
const encodings: ReadonlyMap<string, BufferEncoding> = new Map([['LATIN1', 'latin1']]);

/** A connection that hands over every server message in the order it came, and hides none. */
export class WireConnection {
  readonly write: MessageWriter = new MessageWriter();
  readonly #address: Address;
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter();
  readonly #arrived: ServerMessage[] = [];
  #wake: (() => void) | undefined;
  #key: { processId: number; secret: Buffer } | undefined;

  private constructor(address: Address, socket: Socket) {
    this.#address = address;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => this.#arrive({ kind: 'ConnectionClosed' }));
  }

  static async open(address: Address): Promise<WireConnection> {
    const socket = connect(address.port, address.host);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new WireConnection(address, socket);
  }

  get processId(): number | undefined {
    return this.#key?.processId;
  }

  send(...messages: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(messages));
  }

  /** The next message; fails when none comes within the deadline. */
  async next(): Promise<ServerMessage> {
    const deadline = Date.now() + answerDeadlineMs;
    for (;;) {
      const message = this.#arrived.shift();
      if (message !== undefined) return message;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no answer within ${answerDeadlineMs / 1000} s`);
      await this.#arrival(left);
    }
  }

  /** All messages up to and with the first for which `isLast` holds, or the end of the stream. */
  async until(isLast: (message: ServerMessage) => boolean): Promise<ServerMessage[]> {
    const messages: ServerMessage[] = [];
    for (;;) {
      const message = await this.next();
      messages.push(message);
      if (isLast(message) || message.kind === 'ConnectionClosed') return messages;
    }
  }

  /** Sends a cancel request for this session; done when the server closed that connection. */
  async cancel(): Promise<void> {
    const key = this.#key;
    if (key === undefined) return;
    const other = await WireConnection.open(this.#address);
    other.send(cancelRequest(key.processId, key.secret));
    await other.until(() => false);
  }

  close(): void {
    if (!this.#socket.destroyed) this.#socket.end(this.write.terminate());
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#splitter.push(chunk)) {
      const message = decodeServerMessage(frame, this.write.encoding);
      if (message.kind === 'BackendKeyData') this.#key = message;
      if (message.kind === 'ParameterStatus' && message.name === 'client_encoding') {
        this.write.encoding = encodings.get(message.value) ?? 'utf8';
      }
      this.#arrive(message);
    }
  }

  #arrive(message: ServerMessage): void {
    this.#arrived.push(message);
    this.#wake?.();
  }

  #arrival(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
