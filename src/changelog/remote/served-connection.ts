import type { Socket } from 'node:net';
import type { LogReader } from '../../contracts/log-reader.ts';
import {
  logAnswerTooLarge,
  logReadFailed,
  logStreamDamaged,
} from '../../core/errors/log-stream.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import {
  encodeBackwardBatch,
  encodeBatch,
  encodeBounds,
  encodeCounted,
  encodeError,
  encodeSampled,
  encodeTables,
} from './answer-codec.ts';
import {
  type Challenge,
  connectionKeys,
  type Hello,
  isProof,
  makeChallenge,
  readHello,
} from './handshake.ts';
import {
  answerBytesMax,
  answerChangesMax,
  answerPartBytes,
  greetingBytesMax,
  idleMaxMs,
  openRequestsMax,
  openWaitsMax,
  requestBytesMax,
  workedRequestsMax,
} from './limits.ts';
import { MessageSocket } from './message-socket.ts';
import { answerKind, type Message, requestKind } from './protocol.ts';
import {
  decodeChanged,
  decodeCount,
  decodeRead,
  decodeReadBackward,
  decodeWalSample,
} from './request-codec.ts';

/** A log and who may read it. */
export type ServedLog = {
  readonly reader: LogReader;
  /** Undefined while there is none; asked for each connection. */
  readonly secret: () => Promise<Buffer | undefined>;
};

export type ServedConnectionOptions = {
  /** Tells the numbers of table versions of this process from those of any other. */
  readonly instance: Buffer;
  /** Undefined for a database that has no log here. */
  readonly logOf: (database: string) => ServedLog | undefined;
  /** How long the handshake may take, ms. */
  readonly deadlineMs: number;
  readonly onClosed: (cause: unknown) => void;
  /** What was no PgError: a mistake of ours. */
  readonly onFailure: (error: unknown) => void;
};

/** One node that reads: first it proves that it may, then it asks. */
export class ServedConnection {
  readonly #options: ServedConnectionOptions;
  readonly #socket: MessageSocket;
  readonly #deadline: NodeJS.Timeout;
  #idleTimer: NodeJS.Timeout | undefined;
  #hello: Hello | undefined;
  #awaitedProof: Buffer | undefined;
  #reader: LogReader | undefined;
  readonly #waiting: Message[] = [];
  #worked = 0;
  readonly #waits: Map<number, AbortController> = new Map();

  constructor(socket: Socket, options: ServedConnectionOptions) {
    this.#options = options;
    this.#socket = new MessageSocket(socket, greetingBytesMax, {
      onFrame: (frame) => this.#greet(frame),
      onMessage: (message) => this.#receive(message),
      onClosed: (cause) => this.#closed(cause),
    });
    this.#deadline = setTimeout(
      () => this.#socket.destroy(logStreamDamaged('The handshake took too long.')),
      options.deadlineMs,
    );
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #closed(cause: unknown): void {
    clearTimeout(this.#deadline);
    clearInterval(this.#idleTimer);
    this.#waiting.length = 0;
    for (const wait of this.#waits.values()) wait.abort();
    this.#options.onClosed(cause);
  }

  #greet(frame: Buffer): void {
    if (this.#hello !== undefined) throw logStreamDamaged('The proof came before the challenge.');
    this.#hello = readHello(frame);
    // The proof is read when there is something to compare it with.
    this.#socket.hold(true);
    this.#challenge(this.#hello).catch((error: unknown) => this.#socket.destroy(error));
  }

  async #challenge(hello: Hello): Promise<void> {
    const { challenge, half } = makeChallenge(hello, this.#options.instance);
    const log = this.#options.logOf(hello.database);
    // For a stranger a database that is not there looks like a secret it does not know.
    const secret = await log?.secret();
    const keys = connectionKeys({
      secret: secret ?? challenge.bytes,
      half,
      otherPublicKey: hello.publicKey,
      hello,
      challenge,
    });
    const isServed = log !== undefined && secret !== undefined && challenge.version !== 0;
    const proof = isServed ? keys.serverProof : Buffer.alloc(keys.serverProof.length);
    this.#sendChallenge(challenge, proof);
    if (!isServed) throw logStreamDamaged('The database or the version is not served here.');
    this.#awaitedProof = keys.clientProof;
    this.#reader = log.reader;
    // The proof comes sealed, as everything after it, so that it is one code that reads both.
    const sealing = { outgoing: keys.fromServer, incoming: keys.fromClient };
    this.#socket.protect(sealing, requestBytesMax);
    this.#socket.hold(false);
  }

  #sendChallenge({ bytes }: Challenge, proof: Buffer): void {
    this.#socket.sendFrame(bytes, proof);
  }

  #receive(message: Message): void {
    if (this.#awaitedProof !== undefined) {
      if (!isProof(message.body, this.#awaitedProof)) {
        throw logStreamDamaged('The proof is wrong.');
      }
      this.#awaitedProof = undefined;
      clearTimeout(this.#deadline);
      this.#idleTimer = setInterval(() => this.#endIfIdle(), idleMaxMs / 2);
      return;
    }
    const { kind, id } = message;
    if (kind === requestKind.ping) {
      this.#socket.send({ kind: answerKind.pong, id, body: Buffer.alloc(0) });
    } else if (kind === requestKind.cancel) this.#waits.get(id)?.abort();
    else if (kind === requestKind.changed) this.#wait(message);
    else {
      if (this.#waiting.length + this.#worked >= openRequestsMax) {
        throw logStreamDamaged('Too many requests are open.');
      }
      this.#waiting.push(message);
      this.#work();
    }
  }

  #endIfIdle(): void {
    if (performance.now() - this.#socket.heardAt > idleMaxMs) {
      this.#socket.destroy(logStreamDamaged('Nothing was heard for too long.'));
    }
  }

  #wait({ id, body }: Message): void {
    if (this.#waits.size >= 2 * openWaitsMax || this.#waits.has(id)) {
      throw logStreamDamaged('Too many waits are open.');
    }
    const beyond = decodeChanged(body);
    const stop = new AbortController();
    this.#waits.set(id, stop);
    void this.#reader!.changed(beyond, stop.signal).then(() => {
      this.#waits.delete(id);
      this.#socket.send({ kind: answerKind.end, id, body: Buffer.alloc(0) });
    }, this.#options.onFailure);
  }

  #work(): void {
    while (this.#worked < workedRequestsMax) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      this.#worked += 1;
      void this.#answer(message).finally(() => {
        this.#worked -= 1;
        this.#work();
      });
    }
  }

  async #answer(message: Message): Promise<void> {
    const { id } = message;
    let answer: Buffer;
    try {
      answer = await answerOf(this.#reader!, message);
      if (answer.length > answerBytesMax) throw logAnswerTooLarge(answer.length, answerBytesMax);
    } catch (error) {
      if (!(error instanceof PgError)) this.#options.onFailure(error);
      const body = encodeError(error instanceof PgError ? error : logReadFailed(error));
      this.#socket.send({ kind: answerKind.error, id, body });
      return;
    }
    for (let at = 0; ; at += answerPartBytes) {
      const isLast = at + answerPartBytes >= answer.length;
      const body = answer.subarray(at, at + answerPartBytes);
      this.#socket.send({ kind: isLast ? answerKind.end : answerKind.part, id, body });
      // Whoever does not take its answers is silent too, so the idle timer ends this.
      await this.#socket.drained();
      if (isLast) return;
    }
  }
}

async function answerOf(reader: LogReader, { kind, body }: Message): Promise<Buffer> {
  switch (kind) {
    case requestKind.bounds:
      return encodeBounds(await reader.bounds());
    case requestKind.tables:
      return encodeTables(await reader.tables());
    case requestKind.count: {
      const { versions, epoch } = decodeCount(body);
      return encodeCounted(await reader.count(versions, epoch));
    }
    case requestKind.walSample:
      return encodeSampled(await reader.walSample(decodeWalSample(body)));
    case requestKind.read:
      return encodeBatch(await reader.read(bounded(decodeRead(body))));
    case requestKind.readBackward:
      return encodeBackwardBatch(await reader.readBackward(bounded(decodeReadBackward(body))));
    default:
      throw logStreamDamaged(`A request is of kind ${kind}.`);
  }
}

/** A reader asks again for what is missing, and others have their turn in between. */
function bounded<Request extends { readonly changesMax: number }>(request: Request): Request {
  return { ...request, changesMax: Math.min(request.changesMax, answerChangesMax) };
}
