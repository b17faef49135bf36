import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { Duplex } from 'node:stream';

/** What one read takes at most, bytes. */
const readBytes = 64 * 1024;
/** A chunk below it comes from somebody who sends message by message, bytes. */
const smallChunkBytes = 8 * 1024;
/** So many small chunks within `restMs`, and the next read waits that long. */
const smallChunksMax = 8;
const restMs = 1;

/**
 * Takes a chunk, whose memory is its own until what it returns is fulfilled, which never fails;
 * undefined when it is done with it. Nothing is read meanwhile.
 */
export type TakeChunk = (chunk: Buffer) => Promise<void> | undefined;

/**
 * A socket that reads into the same memory again and again, once its chunks are taken. Node makes a
 * buffer for each read; at hundreds of megabytes a second, collecting them takes half a core.
 *
 * Nor does it read as soon as it can: a server that sends each message by itself is kept from the
 * next one by having to wake the reader, which then reads a hundred bytes. Both are twice as fast
 * when the reader lets something come together.
 */
export class RecyclingSocket extends Socket {
  #take: TakeChunk | undefined;
  #countedFrom = 0;
  #smallChunks = 0;

  constructor() {
    const memory = Buffer.allocUnsafeSlow(readBytes);
    const onread: OnReadOpts = {
      buffer: memory,
      callback: (bytes) => this.#read(memory.subarray(0, bytes)),
    };
    // The types have it with `net.connect` only, which hands it to this constructor.
    super({ onread } as SocketConstructorOpts);
  }

  /** From now on what comes goes to `take`, no more to listeners. */
  takeChunks(take: TakeChunk): void {
    this.#take = take;
  }

  /** Whether to go on reading at once. */
  #read(chunk: Buffer): boolean {
    if (this.#take === undefined) return this.push(Buffer.from(chunk));
    const taken = this.#take(chunk);
    if (taken !== undefined) {
      void taken.then(() => this.resume());
      return false;
    }
    if (chunk.length >= smallChunkBytes || !this.#isTooEager()) return true;
    setTimeout(() => this.resume(), restMs);
    return false;
  }

  #isTooEager(): boolean {
    const now = performance.now();
    if (now - this.#countedFrom > restMs) {
      this.#countedFrom = now;
      this.#smallChunks = 0;
    }
    this.#smallChunks += 1;
    return this.#smallChunks >= smallChunksMax;
  }
}

/** Gives what comes on any socket to `take`, instead of to those who listen. */
export function takeChunks(socket: Duplex, take: TakeChunk): void {
  socket.removeAllListeners('data');
  if (socket instanceof RecyclingSocket) socket.takeChunks(take);
  else {
    socket.on('data', (chunk: Buffer) => {
      const taken = take(chunk);
      if (taken === undefined) return;
      socket.pause();
      void taken.then(() => socket.resume());
    });
  }
  socket.resume();
}
