import {
  expectedResponsesMax,
  keptRequestBytesMax,
  scannedMessageBytesMax,
  scannedNameBytesMax,
} from '../core/limits.ts';
import { decodeBindNames } from '../protocol/bind-message.ts';
import { readName } from '../protocol/c-string.ts';
import { decodeExecutePortal } from '../protocol/execute-message.ts';
import { FrameReader } from '../protocol/frame-reader.ts';
import { clientMessage, headerBytes } from '../protocol/message-types.ts';
import { decodeTarget, targetKind } from '../protocol/target-message.ts';
import { findClaim } from './claim.ts';
import { claimStatement } from './claimed-statement.ts';
import { executeWithEvents } from './events/execute-with-events.ts';
import { ForwardRun } from './forward-run.ts';
import type { Note } from './lowered-statements.ts';
import type { Entry } from './response-queue.ts';
import type { SessionContext } from './session-context.ts';

/** Client to server: forwards, registers what will be answered, and has texts of ours rewritten. */
export class RequestSide {
  readonly #context: SessionContext;
  readonly #reader: FrameReader;
  readonly #run: ForwardRun;
  /** The reader stands on a head that was not dealt with yet. */
  #headPending = false;
  #isClaiming = false;
  #isWaitingForQueue = false;
  #isTerminated = false;
  /** What came while something was being claimed. */
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#reader = new FrameReader((type, frameBytes) => this.#headBytes(type, frameBytes));
    this.#run = new ForwardRun((bytes) => context.wires.toServer(bytes));
    context.listensWhileClaiming = (isListening) => {
      if (isListening) context.wires.releaseClient('claim');
      else context.wires.holdClient('claim');
    };
  }

  /** Nothing of the client's is half sent or held. */
  get isAtBoundary(): boolean {
    return (
      !this.#context.isOpaque &&
      !this.#headPending &&
      !this.#isClaiming &&
      this.#reader.isAtBoundary
    );
  }

  /** The client has said Terminate. */
  get isTerminated(): boolean {
    return this.#isTerminated;
  }

  /** Only while the client is not held. */
  receive(chunk: Buffer): void {
    if (this.#context.isOpaque) {
      const unread = this.#reader.takeUnread();
      if (unread.length > 0) this.#context.wires.toServer(unread);
      this.#context.wires.toServer(chunk);
      this.#context.services.metrics.transferred('client-to-server', chunk.length, 0);
      return;
    }
    if (this.#isClaiming) {
      this.#keep(chunk);
      return;
    }
    this.#reader.push(chunk);
    this.#pump(chunk.length);
  }

  /** For when what is being claimed is dealt with. */
  #keep(chunk: Buffer): void {
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#keptBytes > keptRequestBytesMax) this.#context.wires.holdClient('claim');
  }

  #takeKept(): void {
    while (this.#kept.length > 0 && !this.#isClaiming && !this.#isWaitingForQueue) {
      const chunk = this.#kept.shift()!;
      this.#keptBytes -= chunk.length;
      this.#reader.push(chunk);
      this.#pump(chunk.length);
    }
  }

  /** The response queue may have room again. */
  proceed(): void {
    if (!this.#isWaitingForQueue) return;
    if (this.#context.queue.length > expectedResponsesMax / 2) return;
    this.#isWaitingForQueue = false;
    this.#pump(0);
    this.#takeKept();
    if (!this.#isWaitingForQueue) this.#context.wires.releaseClient('queueFull');
  }

  #headBytes(type: number, frameBytes: number): number {
    switch (type) {
      case clientMessage.query:
      case clientMessage.parse:
        if (frameBytes <= scannedMessageBytesMax) return frameBytes;
        return type === clientMessage.parse ? this.#nameBytes(frameBytes) : headerBytes;
      case clientMessage.describe:
      case clientMessage.close:
      case clientMessage.execute:
        return this.#nameBytes(frameBytes);
      case clientMessage.bind:
        // The parameters of a SHOW CDC EVENTS are needed again when it is executed.
        if (this.#context.statements.hasEvents && frameBytes <= scannedMessageBytesMax) {
          return frameBytes;
        }
        return this.#nameBytes(frameBytes);
      default:
        return headerBytes;
    }
  }

  #nameBytes(frameBytes: number): number {
    if (!this.#context.statements.isTracking) return headerBytes + 1;
    return Math.min(frameBytes, headerBytes + scannedNameBytesMax);
  }

  #pump(receivedBytes: number): void {
    let messages = 0;
    for (;;) {
      if (!this.#headPending) {
        const step = this.#reader.next();
        if (step === 'hungry') break;
        if (step === 'broken') {
          this.#becomeOpaque();
          break;
        }
        if (step === 'rest') {
          this.#run.add(this.#reader.bytes, this.#reader.start, this.#reader.end);
          continue;
        }
      }
      this.#headPending = true;
      if (this.#context.queue.isFull && !this.#isCopyData()) {
        this.#isWaitingForQueue = true;
        this.#context.wires.holdClient('queueFull');
        break;
      }
      this.#headPending = false;
      messages++;
      if (this.#message()) break;
    }
    this.#run.flush();
    this.#context.services.metrics.transferred('client-to-server', receivedBytes, messages);
  }

  /** A full queue must not stop the data that lets a copy, and with it the queue, go on. */
  #isCopyData(): boolean {
    const { type } = this.#reader;
    return (
      type === clientMessage.copyData ||
      type === clientMessage.copyDone ||
      type === clientMessage.copyFail
    );
  }

  #becomeOpaque(): void {
    this.#context.services.logger.info('client sent a message with an impossible length');
    this.#context.isOpaque = true;
    const unread = this.#reader.takeUnread();
    this.#run.add(unread, 0, unread.length);
  }

  /** Deals with the message whose head the reader stands on; true when it is being claimed. */
  #message(): boolean {
    const { bytes, start, end, type, frameBytes } = this.#reader;
    if (type === clientMessage.query || type === clientMessage.parse) {
      const isWhole = end - start === frameBytes;
      const claim = isWhole ? findClaim(this.#context, { type, bytes, start, end }) : undefined;
      if (claim !== undefined) {
        this.#run.flush();
        this.#claim(claimStatement(this.#context, claim));
        return true;
      }
    }
    if (type === clientMessage.execute && this.#context.statements.hasEvents) {
      this.#run.flush();
      this.#claim(executeWithEvents(this.#context, bytes.subarray(start, end)));
      return true;
    }
    this.#register();
    this.#run.add(bytes, start, end);
    return false;
  }

  /** Holds what the client sends until something of its is dealt with. */
  #claim(dealt: Promise<void>): void {
    this.#isClaiming = true;
    this.#context.wires.holdClient('claim');
    void dealt.then(() => this.#claimed());
  }

  #claimed(): void {
    this.#isClaiming = false;
    if (this.#context.wires.isClosing) return;
    this.#pump(0);
    this.#takeKept();
    if (!this.#isClaiming) this.#context.wires.releaseClient('claim');
  }

  #register(): void {
    const { queue, statements } = this.#context;
    const entry = this.#entry();
    if (entry === undefined) return;
    queue.sent(entry, statements.isTracking ? this.#note() : undefined);
  }

  #entry(): Entry | undefined {
    const { bytes, start, end, type } = this.#reader;
    switch (type) {
      case clientMessage.query:
        return 'query';
      case clientMessage.parse:
        return 'parse';
      case clientMessage.bind:
        return 'bind';
      case clientMessage.execute:
        return 'execute';
      case clientMessage.describe:
        return targetKind(bytes, start, end) === 'portal'
          ? 'describe-portal'
          : 'describe-statement';
      case clientMessage.close:
        return 'close';
      case clientMessage.sync:
        return 'sync';
      case clientMessage.functionCall:
        return 'function-call';
      case clientMessage.copyDone:
      case clientMessage.copyFail:
        return 'copy-end';
      case clientMessage.terminate:
        this.#isTerminated = true;
        return undefined;
      default:
        // Flush, CopyData and the answers to authentication requests are owed nothing.
        return undefined;
    }
  }

  /** Which names the message is about, once it matters. A name that is cut off is not followed. */
  #note(): Note | undefined {
    const { bytes, start, end, type } = this.#reader;
    switch (type) {
      case clientMessage.parse: {
        const name = readName(bytes, start + headerBytes, end);
        return name === undefined ? undefined : { kind: 'parse', name };
      }
      case clientMessage.bind: {
        const names = decodeBindNames(bytes, start, end);
        if (names === undefined) return undefined;
        const { hasEvents } = this.#context.statements;
        const isKept = hasEvents && end - start === this.#reader.frameBytes;
        const whole = isKept ? { bytes: Buffer.from(bytes.subarray(start, end)) } : {};
        return { kind: 'bind', ...names, ...whole };
      }
      case clientMessage.execute: {
        const name = decodeExecutePortal(bytes, start, end);
        return name === undefined ? undefined : { kind: 'use-portal', name };
      }
      case clientMessage.describe: {
        const target = decodeTarget(bytes, start, end);
        return target && { kind: `use-${target.of}`, name: target.name };
      }
      case clientMessage.close: {
        const target = decodeTarget(bytes, start, end);
        return target && { kind: `close-${target.of}`, name: target.name };
      }
      default:
        return undefined;
    }
  }
}
