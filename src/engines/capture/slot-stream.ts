import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogWriter } from '../../changelog/log-writer.ts';
import { slotStreamBroken, slotStreamEnded } from '../../core/errors/capture.ts';
import { serverError } from '../../core/errors/server.ts';
import { failpoint } from '../../core/failpoint.ts';
import type { TakeChunk } from '../../postgres/socket-chunks.ts';
import { decodeResponseFields } from '../../protocol/error-response.ts';
import { FrameReader } from '../../protocol/frame-reader.ts';
import { headerBytes, serverMessage } from '../../protocol/message-types.ts';
import {
  keepaliveEndLsn,
  keepaliveWantsReply,
} from '../../protocol/replication/primary-keepalive.ts';
import { replicationMessageAt } from '../../protocol/replication/replication-message.ts';
import { encodeStandbyStatus } from '../../protocol/replication/standby-status.ts';
import { xlogDataHeadBytes, xlogDataStartLsn } from '../../protocol/replication/xlog-data.ts';
import { flushIntervalMs, statusIntervalMs } from './limits.ts';
import type { PgoutputAssembler } from './pgoutput-assembler.ts';

export type SlotStreamOptions = {
  /** Sends START_REPLICATION; what comes goes to `take`. */
  readonly start: (take: TakeChunk) => Duplex;
  readonly writer: LogWriter;
  readonly assembler: PgoutputAssembler;
  /** Up to where the slot may forget, given what is durable; asked before each status update. */
  readonly confirmable: (durableLsn: bigint) => bigint;
  /** Something was flushed. */
  readonly flushed: () => void;
  /** The server answered START_REPLICATION. */
  readonly started: () => void;
};

/**
 * From the socket of a slot to the log: takes the stream apart, flushes the log as soon as nothing
 * more is there to read, tells the server how far it may forget. Reading stops while the log is
 * behind, so memory is bounded.
 */
export class SlotStream {
  readonly #options: SlotStreamOptions;
  #socket: Duplex | undefined;
  readonly #reader: FrameReader = new FrameReader((_type, frameBytes) => frameBytes);
  #flushTimer: NodeJS.Timeout | undefined;
  #flushedAt = 0;
  #statusTimer: NodeJS.Timeout | undefined;
  #confirmedLsn = 0n;
  #reportedLsn = 0n;
  /** What was begun last. */
  #working: Promise<void> = Promise.resolve();
  #failure: unknown;
  #isOver = false;
  #end: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: SlotStreamOptions) {
    this.#options = options;
  }

  get confirmedLsn(): bigint {
    return this.#confirmedLsn;
  }

  /** Resolves when told to stop; rejects with what ended the stream. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    });
    const fail = (error: unknown): void => {
      this.#failure ??= error;
      this.#end();
    };
    this.#fail = fail;
    const socket = this.#options.start((chunk) => this.#take(chunk));
    this.#socket = socket;
    socket.once('error', (error) => fail(slotStreamEnded(error)));
    socket.once('close', () => fail(slotStreamEnded(undefined)));
    signal.addEventListener('abort', this.#end, { once: true });
    if (signal.aborted) this.#end();
    this.#statusTimer = setInterval(() => this.#sendStatus(false), statusIntervalMs);
    const syncing = this.#syncForEver().catch(fail);
    await ended;
    this.#isOver = true;
    clearInterval(this.#statusTimer);
    clearTimeout(this.#flushTimer);
    signal.removeEventListener('abort', this.#end);
    await syncing;
    // Whoever waits for the server or the disk must not find the log closed.
    await this.#working;
    if (this.#failure === undefined && !socket.destroyed) this.#sendStatus(false);
    socket.end();
    socket.destroy();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #take(chunk: Buffer): Promise<void> | undefined {
    if (this.#isOver || this.#failure !== undefined) return undefined;
    this.#reader.push(chunk);
    try {
      const working = this.#work()?.catch(this.#fail);
      if (working !== undefined) this.#working = working;
      return working;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** Everything that can be read now; undefined when nothing of it has to wait, as a rule. */
  #work(): Promise<void> | undefined {
    const { writer } = this.#options;
    const reader = this.#reader;
    for (;;) {
      if (this.#isOver) return undefined;
      if (writer.isFull) return this.#drain().then(() => this.#work());
      const step = reader.next();
      if (step === 'hungry') break;
      if (step !== 'head') throw slotStreamBroken('A message has an impossible length.');
      const done = this.#message();
      if (done !== undefined) return done.then(() => this.#work());
    }
    this.#flushSoon();
    return undefined;
  }

  #message(): Promise<void> | undefined {
    const { bytes, start, end, type } = this.#reader;
    switch (type) {
      case serverMessage.copyData:
        return this.#copyData(bytes, start + headerBytes, end);
      case serverMessage.copyBothResponse:
        this.#options.started();
        return undefined;
      case serverMessage.errorResponse:
        throw responseError(bytes, start, end);
      case serverMessage.copyDone:
      case serverMessage.commandComplete:
      case serverMessage.readyForQuery:
        throw slotStreamEnded(undefined);
      default:
        return undefined; // Notices and parameters.
    }
  }

  #copyData(bytes: Buffer, at: number, end: number): Promise<void> | undefined {
    switch (replicationMessageAt(bytes, at, end)) {
      case 'xlog-data':
        failpoint('capture.receive');
        return this.#options.assembler.receive(
          bytes,
          at + xlogDataHeadBytes,
          end,
          xlogDataStartLsn(bytes, at),
        );
      case 'keepalive': {
        const { writer, assembler } = this.#options;
        // Nothing that was published is missing before it, unless a transaction is half received:
        // those that are streamed in progress commit behind it.
        if (!assembler.isInTransaction) writer.advance(keepaliveEndLsn(bytes, at));
        if (keepaliveWantsReply(bytes, at)) this.#sendStatus(false);
        return undefined;
      }
      case 'malformed':
        throw slotStreamBroken('A replication message has an unknown type.');
    }
  }

  /** A flush alone would not wait for what a transaction in progress has put. */
  async #drain(): Promise<void> {
    const { writer, flushed } = this.#options;
    await writer.flush();
    await writer.committed();
    flushed();
    // Whoever counts what arrived has a turn of its own, so this never spins.
    await nextTurn();
  }

  /**
   * What is new is shown to readers, and the server told, which others wait for: at once when that
   * was done last a while ago, so that a trickle is seen without delay.
   */
  #flushSoon(): void {
    const { writer } = this.#options;
    const isNews = writer.hasUnflushed || writer.endLsn > this.#reportedLsn;
    if (!isNews || this.#flushTimer !== undefined) return;
    const wait = this.#flushedAt + flushIntervalMs - performance.now();
    if (wait <= 0) this.#flush();
    else this.#flushTimer = setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    this.#flushTimer = undefined;
    this.#flushedAt = performance.now();
    failpoint('capture.append');
    this.#options.writer.flush().then(() => {
      if (this.#isOver) return;
      this.#options.flushed();
      this.#sendStatus(false);
    }, this.#fail);
  }

  /** What is durable is confirmed, one sync after the other. */
  async #syncForEver(): Promise<void> {
    const { writer } = this.#options;
    while (!this.#isOver) {
      if (writer.durableLsn < writer.endLsn) {
        await writer.sync();
        failpoint('capture.sync');
        this.#confirm();
      }
      await pause(flushIntervalMs);
    }
  }

  #confirm(): void {
    const { writer, confirmable } = this.#options;
    const lsn = confirmable(writer.durableLsn);
    if (lsn > this.#confirmedLsn) this.#confirmedLsn = lsn;
  }

  #sendStatus(wantsReply: boolean): void {
    const { writer } = this.#options;
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed || !socket.writable) return;
    this.#confirm();
    failpoint('capture.confirm');
    this.#reportedLsn = writer.visibleLsn;
    socket.write(
      encodeStandbyStatus({
        // Others wait for it: it says what a reader finds.
        writtenLsn: writer.visibleLsn,
        flushedLsn: this.#confirmedLsn,
        appliedLsn: this.#confirmedLsn,
        sentAtMicros: BigInt(Date.now()) * 1_000n,
        wantsReply,
      }),
    );
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function responseError(bytes: Buffer, start: number, end: number): Error {
  const fields = decodeResponseFields(bytes, start, end);
  const text = (code: string): string | undefined => fields?.get(code)?.toString('utf8');
  return serverError({
    code: text('C') ?? 'XX000',
    message: text('M') ?? '',
    detail: text('D'),
    hint: text('H'),
    retryable: true,
  });
}
