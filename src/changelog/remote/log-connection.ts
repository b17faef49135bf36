import { connect, type Socket } from 'node:net';
import {
  logNodeNotTrusted,
  logNodeSilent,
  logStreamDamaged,
  logStreamOfOtherVersion,
} from '../../core/errors/log-stream.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { decodeError } from './answer-codec.ts';
import { connectionKeys, isProof, makeHello, readChallenge } from './handshake.ts';
import {
  answerBytesMax,
  answerPartBytes,
  greetingBytesMax,
  handshakeDeadlineMs,
  openRequestsMax,
  pingIntervalMs,
  silenceMaxMs,
} from './limits.ts';
import { MessageSocket } from './message-socket.ts';
import {
  answerKind,
  type Message,
  type RequestKind,
  requestKind,
  streamVersion,
  streamVersionMin,
} from './protocol.ts';

export type LogAddress = { readonly host: string; readonly port: number };

type Open = {
  /** Counts among the requests the other side takes at once. */
  readonly isCounted: boolean;
  readonly parts: Buffer[];
  bytes: number;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: PgError) => void;
};

const nothing: Buffer = Buffer.alloc(0);

/** A connection to the node that has a log, over which any number of requests are open. */
export class LogConnection {
  readonly #where: string;
  readonly #socket: MessageSocket;
  #greeting: { readonly frame: (bytes: Buffer) => void; readonly failed: () => void } | undefined;
  #instance = '';
  readonly #open: Map<number, Open> = new Map();
  /** Requests beyond what the other side takes at once; they go when others are over. */
  readonly #kept: Message[] = [];
  #sent = 0;
  #lastId = 0;
  #watch: NodeJS.Timeout | undefined;
  #failure: PgError | undefined;

  private constructor(socket: Socket, where: string) {
    this.#where = where;
    this.#socket = new MessageSocket(socket, greetingBytesMax, {
      onFrame: (frame) => this.#greeting?.frame(frame),
      onMessage: (message) => this.#receive(message),
      onClosed: (cause) => this.#closed(cause),
    });
  }

  /** @throws PgError 08006, 0A000 */
  static async open(
    { host, port }: LogAddress,
    login: { readonly database: string; readonly secret: Buffer },
    deadlineMs: number = handshakeDeadlineMs,
  ): Promise<LogConnection> {
    const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const connection = new LogConnection(connect({ host, port }), where);
    const deadline = setTimeout(
      () => connection.#end(logNodeSilent(where, 'no answer in time')),
      deadlineMs,
    );
    try {
      await connection.#prove(login);
    } catch (error) {
      connection.#end(error instanceof PgError ? error : logNodeSilent(where, String(error)));
      throw connection.#failure ?? error;
    } finally {
      clearTimeout(deadline);
    }
    return connection;
  }

  /** Differs between two processes that serve logs, and so between two logs. */
  get instance(): string {
    return this.#instance;
  }

  get isOpen(): boolean {
    return this.#failure === undefined && this.#socket.isOpen;
  }

  /** Rejects with what the other side answered, or 08006 when the connection ends before. */
  request(kind: RequestKind, body: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const id = this.#begin({ resolve, reject, isCounted: true });
      if (id === undefined) return;
      const message = { kind, id, body };
      if (this.#sent >= openRequestsMax) this.#kept.push(message);
      else this.#send(message);
    });
  }

  /** Like a request, which takes as long as it takes and can be given up. */
  wait(body: Buffer): { readonly over: Promise<void>; readonly cancel: () => void } {
    let id: number | undefined;
    const over = new Promise<void>((resolve, reject) => {
      id = this.#begin({ resolve: () => resolve(), reject, isCounted: false });
      if (id !== undefined) this.#socket.send({ kind: requestKind.changed, id, body });
    });
    const cancel = (): void => {
      if (id === undefined || !this.#open.has(id)) return;
      this.#over(id)?.resolve(nothing);
      this.#socket.send({ kind: requestKind.cancel, id, body: nothing });
    };
    return { over, cancel };
  }

  close(error: PgError): void {
    this.#end(error);
  }

  /** Who the other side is, then who we are. */
  async #prove({ database, secret }: { database: string; secret: Buffer }): Promise<void> {
    const { hello, half } = makeHello(database);
    const answered = new Promise<Buffer>((resolve, reject) => {
      this.#greeting = { frame: resolve, failed: () => reject(this.#failure) };
    });
    this.#socket.sendFrame(hello.bytes);
    const challenge = readChallenge(await answered);
    if (challenge.version === 0) {
      const versions = [...new Set([streamVersionMin, streamVersion])].join(' to ');
      throw logStreamOfOtherVersion(this.#where, versions);
    }
    if (challenge.version < streamVersionMin || challenge.version > streamVersion) {
      throw logStreamDamaged(`Version ${challenge.version} was not offered.`);
    }
    const otherPublicKey = challenge.publicKey;
    const keys = connectionKeys({ secret, half, otherPublicKey, hello, challenge });
    if (!isProof(challenge.proof, keys.serverProof)) throw logNodeNotTrusted(this.#where);
    this.#instance = challenge.instance;
    const sealing = { outgoing: keys.fromClient, incoming: keys.fromServer };
    this.#socket.protect(sealing, answerPartBytes);
    this.#socket.send({ kind: requestKind.ping, id: 0, body: keys.clientProof });
  }

  #begin(waiter: Omit<Open, 'parts' | 'bytes'>): number | undefined {
    if (!this.isOpen) {
      waiter.reject(this.#failure ?? logNodeSilent(this.#where, 'the connection is closed'));
      return undefined;
    }
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#open.has(this.#lastId));
    this.#open.set(this.#lastId, { ...waiter, parts: [], bytes: 0 });
    if (this.#watch === undefined) {
      this.#socket.heardAt = performance.now();
      this.#watch = setInterval(() => this.#look(), pingIntervalMs);
    }
    return this.#lastId;
  }

  #send(message: Message): void {
    this.#sent += 1;
    this.#socket.send(message);
  }

  /** Somebody waits: the other side says something now and then, or is taken for dead. */
  #look(): void {
    if (performance.now() - this.#socket.heardAt > silenceMaxMs) {
      this.#end(logNodeSilent(this.#where, `nothing was heard for ${silenceMaxMs / 1_000} s`));
    } else this.#socket.send({ kind: requestKind.ping, id: 0, body: nothing });
  }

  #receive({ kind, id, body }: Message): void {
    if (kind === answerKind.pong) return;
    const open = this.#open.get(id);
    // The answer to a wait that was given up.
    if (open === undefined) return;
    if (kind === answerKind.error) {
      const error = decodeError(body);
      this.#over(id)?.reject(error);
      return;
    }
    if (kind !== answerKind.part && kind !== answerKind.end) {
      throw logStreamDamaged(`An answer is of kind ${kind}.`);
    }
    open.parts.push(body);
    open.bytes += body.length;
    if (open.bytes > answerBytesMax) throw logStreamDamaged('An answer is too long.');
    if (kind === answerKind.part) return;
    this.#over(id)?.resolve(open.parts.length === 1 ? body : Buffer.concat(open.parts));
  }

  #over(id: number): Open | undefined {
    const open = this.#open.get(id);
    this.#open.delete(id);
    if (this.#open.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    }
    if (open?.isCounted === true) this.#next();
    return open;
  }

  #next(): void {
    this.#sent -= 1;
    const message = this.#kept.shift();
    if (message !== undefined) this.#send(message);
  }

  #closed(cause: unknown): void {
    if (cause instanceof PgError) this.#end(cause);
    else {
      const reason = cause instanceof Error ? reasonOf(cause) : 'the connection was closed';
      this.#end(logNodeSilent(this.#where, reason, cause));
    }
  }

  #end(error: PgError): void {
    this.#failure ??= error;
    this.#socket.destroy(error);
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#greeting?.failed();
    for (const { reject } of this.#open.values()) reject(this.#failure);
    this.#open.clear();
    this.#kept.length = 0;
  }
}

function reasonOf(error: Error): string {
  // Node reports several failed addresses of one host name without a message.
  return error instanceof AggregateError ? reasonOf(error.errors[0] as Error) : error.message;
}
