import assert from 'node:assert/strict';
import net from 'node:net';
import { serialize } from 'pg-protocol';
import { decodeResponseFields } from '../../protocol/error-response.ts';
import { FrameReader } from '../../protocol/frame-reader.ts';
import { encodeFrame, nul } from '../../protocol/frame-writer.ts';
import { clientMessage } from '../../protocol/message-types.ts';
import { encodeParse } from '../../protocol/parse-message.ts';

/** A server message, in the words of a test. */
export type Received = {
  readonly type: string;
  readonly body: Buffer;
  /** Of an ErrorResponse or NoticeResponse. */
  readonly fields: Readonly<Record<string, string>>;
};

/** Sends what no driver would, and shows every message that comes back. */
export class WireClient {
  readonly socket: net.Socket;
  readonly received: Received[] = [];
  readonly #reader: FrameReader = new FrameReader((_type, frameBytes) => frameBytes);
  #read = 0;
  #isEnded = false;
  #wake: () => void = () => undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#ended());
    socket.on('end', () => this.#ended());
  }

  /** Connects, and unless told otherwise logs in and waits for ReadyForQuery. */
  static async connect(
    address: { readonly host: string; readonly port: number },
    startup?: Readonly<Record<string, string>> | 'silent',
  ): Promise<WireClient> {
    const socket = net.connect({ ...address, noDelay: true });
    const client = new WireClient(socket);
    if (startup === 'silent') return client;
    client.send(serialize.startup({ user: 'postgres', ...startup }));
    await client.until('Z');
    return client;
  }

  /** On a connection that is already there. */
  static over(socket: net.Socket): WireClient {
    return new WireClient(socket);
  }

  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** The messages from the last one read up to and including the next of this type. */
  async until(type: string): Promise<Received[]> {
    for (let at = this.#read; ; at++) {
      while (at >= this.received.length) {
        assert.ok(!this.#isEnded, `connection ended before ${type}: ${typesOf(this.received)}`);
        await this.#more();
      }
      if (this.received[at]!.type !== type) continue;
      const messages = this.received.slice(this.#read, at + 1);
      this.#read = at + 1;
      return messages;
    }
  }

  /** Resolves when the server has ended the connection. */
  async ended(): Promise<Received[]> {
    while (!this.#isEnded) await this.#more();
    return this.received.slice(this.#read);
  }

  /** A simple Query and everything up to its ReadyForQuery. */
  async query(text: string): Promise<Received[]> {
    this.send(query(text));
    return this.until('Z');
  }

  close(): void {
    this.socket.destroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #ended(): void {
    this.#isEnded = true;
    this.#wake();
  }

  #receive(chunk: Buffer): void {
    this.#reader.push(chunk);
    while (this.#reader.next() === 'head') {
      const { bytes, start, end, type } = this.#reader;
      const letter = String.fromCharCode(type);
      const isError = letter === 'E' || letter === 'N';
      const fields = isError ? decodeResponseFields(bytes, start, end) : undefined;
      this.received.push({
        type: letter,
        body: Buffer.from(bytes.subarray(start + 5, end)),
        fields: Object.fromEntries([...(fields ?? [])].map(([k, v]) => [k, v.toString()])),
      });
    }
    this.#wake();
  }
}

/** `12TDCZ`, without what comes unasked. */
export function typesOf(messages: readonly Received[]): string {
  return messages
    .map((message) => message.type)
    .filter((type) => type !== 'S' && type !== 'N' && type !== 'A')
    .join('');
}

/** The transaction status of the last ReadyForQuery. */
export function statusOf(messages: readonly Received[]): string {
  return messages.findLast((message) => message.type === 'Z')?.body.toString() ?? '';
}

export function tagsOf(messages: readonly Received[]): string[] {
  return messages
    .filter((message) => message.type === 'C')
    .map((message) => message.body.toString('utf8', 0, message.body.length - 1));
}

/** The one error among the messages. */
export function errorOf(messages: readonly Received[]): Readonly<Record<string, string>> {
  const errors = messages.filter((message) => message.type === 'E');
  assert.equal(errors.length, 1, `one error among ${typesOf(messages)}`);
  return errors[0]!.fields;
}

/** First column of each DataRow, as text. */
export function valuesOf(messages: readonly Received[]): string[] {
  return messages
    .filter((message) => message.type === 'D')
    .map(({ body }) => body.toString('utf8', 6, 6 + body.readInt32BE(2)));
}

export function query(text: string): Buffer {
  return serialize.query(text);
}

export function parse(text: string, name = ''): Buffer {
  return encodeParse({ name, text: Buffer.from(text), parameterTypes: [] });
}

export function bind(options?: {
  readonly statement?: string;
  readonly portal?: string;
  readonly values?: readonly string[];
}): Buffer {
  return serialize.bind({
    statement: options?.statement ?? '',
    portal: options?.portal ?? '',
    values: [...(options?.values ?? [])],
  });
}

export function describeStatement(name = ''): Buffer {
  return serialize.describe({ type: 'S', name });
}

export function describePortal(name = ''): Buffer {
  return serialize.describe({ type: 'P', name });
}

export function execute(portal = '', rows = 0): Buffer {
  return serialize.execute({ portal, rows });
}

export const sync: Buffer = serialize.sync();
export const flush: Buffer = serialize.flush();
export const terminate: Buffer = serialize.end();
export const copyDone: Buffer = serialize.copyDone();

export function copyData(text: string): Buffer {
  return serialize.copyData(Buffer.from(text));
}

export function copyFail(reason: string): Buffer {
  return encodeFrame(clientMessage.copyFail, Buffer.from(reason), nul);
}
