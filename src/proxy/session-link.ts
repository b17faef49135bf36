import type net from 'node:net';
import type { CloseReason } from '../contracts/proxy-metrics.ts';
import { closingLingerMs } from '../core/limits.ts';

/** Why the client is not read for the moment. */
export const holdReasons = { backpressure: 1, claim: 2, queueFull: 4 } as const;
export type HoldReason = keyof typeof holdReasons;

export type LinkEvents = {
  clientData(chunk: Buffer): void;
  serverData(chunk: Buffer): void;
  /** The client says no more; the answer is said to the server before its side is closed. */
  clientEnded(): Buffer | undefined;
  /** The server says no more; the answer is the last the client gets. */
  serverEnded(): Buffer | undefined;
  /** Both sockets are closed. Called once. */
  closed(reason: CloseReason): void;
};

/**
 * The two sockets of a session: bytes from one to the other, back-pressure both ways, and an
 * orderly end whichever side goes first. What is waiting in memory is bounded by the sockets'
 * buffers and one chunk each way.
 */
export class SessionLink {
  readonly #client: net.Socket;
  readonly #server: net.Socket;
  readonly #events: LinkEvents;
  #held = 0;
  #reason: CloseReason | undefined;
  /** The client says no more, and something it said may still be held. */
  #clientEnded = false;
  #clientOver = false;
  #serverOver = false;
  #openSockets = 2;
  #linger: NodeJS.Timeout | undefined;

  constructor(client: net.Socket, server: net.Socket, events: LinkEvents) {
    this.#client = client;
    this.#server = server;
    this.#events = events;
  }

  get isClosing(): boolean {
    return this.#clientOver || this.#serverOver;
  }

  /** Begins to read from both. */
  open(): void {
    for (const socket of [this.#client, this.#server]) {
      socket.on('error', () => undefined);
      // What happened while the upstream was connected, when nobody listened.
      if (socket.destroyed) process.nextTick(() => socket.emit('close'));
      else if (socket.readableEnded) process.nextTick(() => socket.emit('end'));
    }
    this.#client.on('data', (chunk: Buffer) => {
      if (!this.#clientOver && !this.#serverOver) this.#events.clientData(chunk);
    });
    this.#client.on('end', () => {
      this.#clientEnded = true;
      this.#endWhenNothingIsHeld();
    });
    this.#client.on('drain', () => this.#server.resume());
    this.#client.once('close', () => {
      this.#clientGone();
      this.#server.destroySoon();
      this.#lingerAgain();
      this.#socketClosed();
    });
    this.#server.on('data', (chunk: Buffer) => {
      if (!this.#serverOver) this.#events.serverData(chunk);
    });
    this.#server.on('end', () => this.#serverGone());
    this.#server.on('drain', () => this.releaseClient('backpressure'));
    this.#server.once('close', () => {
      this.#serverGone();
      this.#socketClosed();
    });
    if (this.#held === 0) this.#client.resume();
    this.#server.resume();
  }

  toServer(bytes: Buffer): void {
    if (this.#clientOver || this.#serverOver || !this.#server.writable) return;
    if (!this.#server.write(bytes)) this.holdClient('backpressure');
  }

  toClient(bytes: Buffer): void {
    if (this.#serverOver || !this.#client.writable) return;
    if (!this.#client.write(bytes)) this.#server.pause();
  }

  holdClient(reason: HoldReason): void {
    if (this.#held === 0) this.#client.pause();
    this.#held |= holdReasons[reason];
  }

  releaseClient(reason: HoldReason): void {
    if (this.#held === 0) return;
    this.#held &= ~holdReasons[reason];
    if (this.#clientEnded) this.#endWhenNothingIsHeld();
    else if (this.#held === 0) this.#client.resume();
  }

  /** Ends both sides with a last word to each. */
  close(reason: CloseReason, words: { readonly client?: Buffer; readonly server?: Buffer }): void {
    this.#reason ??= reason;
    this.#endServer(words.server);
    this.#endClient(words.client);
  }

  /** Ends both sides at once. */
  destroy(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#clientOver = true;
    this.#serverOver = true;
    this.#client.destroy();
    this.#server.destroy();
  }

  /** What the client said before its end is done, as Postgres would do it. */
  #endWhenNothingIsHeld(): void {
    if ((this.#held & ~holdReasons.backpressure) === 0) this.#clientGone();
  }

  #clientGone(): void {
    if (this.#clientOver) return;
    // Responses may still be on their way to a client that only closed its own half.
    const lastWord = this.#serverOver ? undefined : this.#events.clientEnded();
    this.#reason ??= 'client-vanished';
    this.#endServer(lastWord);
  }

  #serverGone(): void {
    if (this.#serverOver) return;
    const lastWord = this.#events.serverEnded();
    this.#reason ??= 'server-closed';
    this.#endClient(lastWord);
  }

  #endServer(lastWord: Buffer | undefined): void {
    if (this.#clientOver) return;
    this.#clientOver = true;
    if (!this.#server.writable) return;
    if (lastWord === undefined) this.#server.end();
    else this.#server.end(lastWord);
  }

  /** After its last bytes a client gets time to read them; a reset would take them from it. */
  #endClient(lastWord: Buffer | undefined): void {
    if (this.#serverOver) return;
    this.#serverOver = true;
    this.#server.destroySoon();
    if (this.#client.writable) {
      if (lastWord === undefined) this.#client.end();
      else this.#client.end(lastWord);
    }
    this.#client.resume();
    this.#client.once('end', () => this.#client.destroySoon());
    if (this.#client.readableEnded) this.#client.destroySoon();
    this.#lingerAgain();
  }

  #lingerAgain(): void {
    this.#linger ??= setTimeout(() => {
      this.#client.destroy();
      this.#server.destroy();
    }, closingLingerMs);
  }

  #socketClosed(): void {
    this.#openSockets--;
    if (this.#openSockets > 0) return;
    clearTimeout(this.#linger);
    this.#events.closed(this.#reason ?? 'client-vanished');
  }
}
