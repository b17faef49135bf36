import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RedisCloseReason } from '../contracts/redis-metrics.ts';
import {
  closingLingerMs,
  redisInputBytesMax,
  redisRequestsPerTurnMax,
  socketBufferBytesMax,
} from '../core/limits.ts';
import type { ClientState } from './client-state.ts';
import type { Endpoint } from './commands/command.ts';
import { answer } from './commands/registry.ts';
import { encodeReply, type Reply } from './resp/reply.ts';
import { RequestParser } from './resp/request-parser.ts';

/** Names of HTTP, by which Redis knows a browser that somebody sends here to do harm. */
const namesOfHttp: ReadonlySet<string> = new Set(['post', 'host:']);

/**
 * One client: its requests are answered one after the other, in order. Replies go out together
 * where several requests came together. Nothing is read while replies are not taken.
 */
export class ClientConnection {
  readonly state: ClientState;
  readonly #socket: Socket;
  readonly #endpoint: Endpoint;
  readonly #parser: RequestParser;
  readonly #closed: (reason: RedisCloseReason) => void;
  #output: Buffer[] = [];
  #outputBytes = 0;
  #isFlushPlanned = false;
  #isAnswering = false;
  #hasInputEnded = false;
  #isDraining = false;
  #closeReason: RedisCloseReason | undefined;

  constructor(of: {
    readonly socket: Socket;
    readonly state: ClientState;
    readonly endpoint: Endpoint;
    /** Called once, when the socket is closed. */
    readonly closed: (reason: RedisCloseReason) => void;
  }) {
    this.state = of.state;
    this.#socket = of.socket;
    this.#endpoint = of.endpoint;
    this.#closed = of.closed;
    this.#parser = new RequestParser(() => of.state.access !== undefined);
    this.state.blocked = () => this.#readWhileBlocked();
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('end', () => this.#endInput());
    this.#socket.on('timeout', () => this.destroy('stalled'));
    // What it means is said by 'close', which follows.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.state.stopWaiting();
      this.#closed(this.#closeReason ?? 'client-vanished');
    });
  }

  /** Ends after the reply that is under way; a client that waits for changes gets none. */
  drain(): void {
    this.#isDraining = true;
    if (this.state.isBlocked) this.destroy('drained');
    else if (this.#isAnswering) this.state.stopWaiting();
    else this.#leave('drained');
  }

  destroy(reason: RedisCloseReason): void {
    this.#closeReason ??= reason;
    this.state.stopWaiting();
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#closeReason !== undefined) return;
    this.#endpoint.services.metrics.transferred('client-to-server', chunk.length);
    this.#parser.push(chunk);
    if (this.#parser.bufferedBytes > redisInputBytesMax) {
      if (this.state.isBlocked) this.#refuseInput();
      else this.#socket.pause();
    }
    if (!this.#isAnswering) void this.#answerAll();
  }

  /** A blocked client has to be read, since nobody would see it leave otherwise. */
  #readWhileBlocked(): void {
    if (this.#parser.bufferedBytes > redisInputBytesMax) this.#refuseInput();
    else this.#socket.resume();
  }

  #refuseInput(): void {
    const { logger } = this.#endpoint.services;
    logger.warn('blocked redis client sent too much', { remote: this.state.address });
    this.destroy('protocol-error');
  }

  #endInput(): void {
    this.#hasInputEnded = true;
    if (this.state.isBlocked) this.destroy('client-vanished');
    else if (!this.#isAnswering) this.#leave('client-vanished');
    else this.state.stopWaiting();
  }

  /** Never rejects. */
  async #answerAll(): Promise<void> {
    this.#isAnswering = true;
    try {
      for (let count = 1; await this.#answerNext(); count++) {
        if (count % redisRequestsPerTurnMax === 0) await nextTurn();
      }
    } catch (error) {
      this.#endpoint.services.logger.error('redis client failed', { error });
      this.destroy('client-vanished');
    }
    this.#isAnswering = false;
    if (this.#closeReason !== undefined) return;
    if (this.#isDraining) this.#leave('drained');
    else if (this.#hasInputEnded) this.#leave('client-vanished');
    else this.#socket.resume();
  }

  /** Returns whether there may be another one. */
  async #answerNext(): Promise<boolean> {
    if (this.#closeReason !== undefined || this.#isDraining) return false;
    const parsed = this.#parser.next();
    if (parsed === undefined) return false;
    if (parsed.kind === 'violation') {
      this.#send({ kind: 'error', line: `ERR Protocol error: ${parsed.reason}` });
      this.#leave('protocol-error');
      return false;
    }
    if (namesOfHttp.has(parsed.args[0]!.toString('latin1').toLowerCase())) {
      this.destroy('protocol-error');
      return false;
    }
    const { state } = this;
    if (state.replyMode === 'skip-next') state.replyMode = 'skip-this';
    const reply = await answer(parsed.args, state, this.#endpoint);
    if (state.replyMode === 'on') this.#send(reply);
    if (state.replyMode === 'skip-this') state.replyMode = 'on';
    if (this.state.leaving !== undefined) {
      this.#leave(this.state.leaving);
      return false;
    }
    const isFull = this.#outputBytes >= socketBufferBytesMax || this.#socket.writableNeedDrain;
    if (isFull) await this.#flushAndWait();
    return true;
  }

  #send(reply: Reply): void {
    const before = this.#output.length;
    encodeReply(reply, this.state.version, this.#output);
    for (let at = before; at < this.#output.length; at++) {
      this.#outputBytes += this.#output[at]!.length;
    }
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    setImmediate(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#output.length === 0 || !this.#socket.writable) return;
    const bytes = Buffer.concat(this.#output, this.#outputBytes);
    this.#endpoint.services.metrics.transferred('server-to-client', bytes.length);
    this.#output = [];
    this.#outputBytes = 0;
    this.#socket.write(bytes);
  }

  /** Resolves when the client has taken its replies, or is gone. */
  async #flushAndWait(): Promise<void> {
    this.#flush();
    if (!this.#socket.writableNeedDrain) return;
    this.#socket.pause();
    this.#socket.setTimeout(this.#endpoint.writeStallMs);
    await new Promise<void>((resolve) => {
      const end = () => {
        this.#socket.removeListener('drain', end).removeListener('close', end);
        resolve();
      };
      this.#socket.on('drain', end).on('close', end);
    });
    this.#socket.setTimeout(0);
    this.#socket.resume();
  }

  /** Hands over what there is to say and closes. */
  #leave(reason: RedisCloseReason): void {
    this.#closeReason ??= reason;
    this.state.stopWaiting();
    this.#flush();
    // A client that does not read must not keep its socket open.
    const timer = setTimeout(() => this.#socket.destroy(), closingLingerMs);
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.destroySoon();
  }
}
