import type { Socket } from 'node:net';
import { logStreamDamaged } from '../../core/errors/log-stream.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { unsentBytesMax } from './limits.ts';
import { type Message, messageHeaderBytes } from './protocol.ts';
import { framed, Opener, Sealer, sealBytes } from './seal.ts';

export type MessageSocketEvents = {
  /** The next plain frame, until `protect` was called. */
  readonly onFrame: (frame: Buffer) => void;
  readonly onMessage: (message: Message) => void;
  /** Once; with what was wrong with the bytes, or the error of the socket. */
  readonly onClosed: (cause: unknown) => void;
};

/**
 * A socket whose bytes are frames, first plain and then sealed. Nothing that comes throws out of a
 * callback: whatever does not belong there ends this socket alone.
 */
export class MessageSocket {
  readonly #socket: Socket;
  readonly #events: MessageSocketEvents;
  readonly #splitter: FrameSplitter;
  #sealer: Sealer | undefined;
  #opener: Opener | undefined;
  #cause: unknown;
  #isClosed = false;
  /** When something came last, as `performance.now()` has it. */
  heardAt: number = performance.now();

  constructor(socket: Socket, frameBytesMax: number, events: MessageSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#splitter = new FrameSplitter(frameBytesMax);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => {
      this.#cause ??= error;
    });
    socket.once('close', () => {
      this.#isClosed = true;
      events.onClosed(this.#cause);
    });
  }

  get isOpen(): boolean {
    return !this.#isClosed && !this.#socket.destroyed;
  }

  sendFrame(...parts: readonly Buffer[]): void {
    if (this.isOpen) this.#socket.write(framed(...parts));
  }

  /** From here on both directions are sealed. */
  protect(keys: { readonly outgoing: Buffer; readonly incoming: Buffer }, bytesMax: number): void {
    this.#sealer = new Sealer(keys.outgoing);
    this.#opener = new Opener(keys.incoming);
    this.#splitter.bytesMax = bytesMax + messageHeaderBytes + sealBytes;
  }

  send({ kind, id, body }: Message): void {
    if (!this.isOpen || this.#sealer === undefined) return;
    const header = Buffer.allocUnsafe(messageHeaderBytes);
    header[0] = kind;
    header.writeUInt32BE(id, 1);
    this.#socket.write(this.#sealer.seal(header, body));
  }

  /** Resolves when little waits to be sent, or when the socket is closed. */
  async drained(): Promise<void> {
    if (!this.isOpen || this.#socket.writableLength <= unsentBytesMax) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }

  /** Does not take more of what comes, or goes on taking it. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }

  destroy(cause?: unknown): void {
    this.#cause ??= cause;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.heardAt = performance.now();
    try {
      this.#splitter.push(chunk);
      while (this.isOpen) {
        const frame = this.#splitter.next();
        if (frame === undefined) return;
        if (this.#opener === undefined) this.#events.onFrame(frame);
        else this.#events.onMessage(messageOf(this.#opener.open(frame)));
      }
    } catch (error) {
      this.destroy(error);
    }
  }
}

function messageOf(bytes: Buffer): Message {
  if (bytes.length < messageHeaderBytes) throw logStreamDamaged('A message is too short.');
  return {
    kind: bytes[0]!,
    id: bytes.readUInt32BE(1),
    body: bytes.subarray(messageHeaderBytes),
  };
}
