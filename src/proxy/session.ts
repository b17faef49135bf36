import type net from 'node:net';
import { serialize } from 'pg-protocol';
import type { CloseReason } from '../contracts/proxy-metrics.ts';
import { administratorShutdown, upstreamLost } from '../core/errors/connection.ts';
import { encodePgError } from './pg-error-message.ts';
import { RequestSide } from './request-side.ts';
import { ResponseSide } from './response-side.ts';
import { SessionContext, type SessionServices } from './session-context.ts';
import { SessionLink } from './session-link.ts';

export type SessionOptions = {
  /** Both paused. */
  readonly client: net.Socket;
  readonly server: net.Socket;
  /** The startup packet and what the client sent behind it. */
  readonly startupBytes: Buffer;
  readonly startupPacketBytes: number;
  readonly database: string;
  /** A replication connection: both directions are relayed unread, for ever. */
  readonly isReplication: boolean;
  readonly hidesChannelBinding: boolean;
  readonly services: SessionServices;
  /** Called once, when both sockets are closed. */
  readonly closed: (reason: CloseReason) => void;
};

/** One client and its backend, from the startup packet to the end (session-protocol.md). */
export class Session {
  readonly #link: SessionLink;
  readonly #context: SessionContext;
  readonly #requests: RequestSide;
  readonly #responses: ResponseSide;
  #isDraining = false;

  constructor(options: SessionOptions) {
    this.#link = new SessionLink(options.client, options.server, {
      clientData: (chunk) => this.#requests.receive(chunk),
      serverData: (chunk) => this.#responses.receive(chunk),
      clientEnded: () => this.#farewell(),
      serverEnded: () => this.#lastWord(),
      closed: (reason) => options.closed(this.#requests.isTerminated ? 'terminated' : reason),
    });
    this.#context = new SessionContext(options.services, this.#link, options.database);
    this.#context.isOpaque = options.isReplication;
    this.#requests = new RequestSide(this.#context);
    this.#responses = new ResponseSide(this.#context, {
      hidesChannelBinding: options.hidesChannelBinding,
      progressed: () => this.#progressed(),
    });
    const { startupBytes, startupPacketBytes } = options;
    this.#link.toServer(startupBytes.subarray(0, startupPacketBytes));
    if (startupBytes.length > startupPacketBytes) {
      this.#requests.receive(startupBytes.subarray(startupPacketBytes));
    }
    this.#link.open();
  }

  /** Ends the session between two transactions, at once if it is there now. */
  drain(): void {
    this.#isDraining = true;
    this.#endIfIdle();
  }

  /** Ends the session now, as Postgres does when it is told to stop. */
  terminate(reason: CloseReason): void {
    const client = this.#responses.isAtBoundary
      ? { client: encodePgError(administratorShutdown()) }
      : {};
    this.#link.close(reason, { ...client, ...this.#terminateMessage() });
  }

  /**
   * Cancels the statement that is being rewritten, if the key is this session's; false when there
   * is none, so that the backend has to be asked. What reads the change log is told in any case.
   */
  cancelClaim(backendKey: Buffer): boolean {
    const { backendKey: own, cancelClaim } = this.#context;
    if (own === undefined || !own.equals(backendKey)) return false;
    this.#context.isCanceled = true;
    if (cancelClaim === undefined) return false;
    cancelClaim();
    return true;
  }

  /** Ends the session without a word. */
  destroy(reason: CloseReason): void {
    this.#link.destroy(reason);
  }

  #progressed(): void {
    this.#requests.proceed();
    if (this.#isDraining) this.#endIfIdle();
  }

  #endIfIdle(): void {
    const { queue, isStarted, isOpaque, isFollowing } = this.#context;
    if (isFollowing && this.#responses.isAtBoundary && queue.head !== 'follow-rows') {
      this.terminate('drained');
      return;
    }
    if (!isStarted || isOpaque || !queue.isSettled || queue.status !== 'I') return;
    if (this.#requests.isAtBoundary && this.#responses.isAtBoundary) this.terminate('drained');
  }

  /** The client is gone: Terminate lets the backend clean up without complaint. */
  #farewell(): Buffer | undefined {
    return this.#terminateMessage().server;
  }

  #terminateMessage(): { readonly server?: Buffer } {
    if (this.#requests.isTerminated || !this.#requests.isAtBoundary) return {};
    return this.#context.isStarted ? { server: serialize.end() } : {};
  }

  /** The server is gone: tells the client why, where a message fits. */
  #lastWord(): Buffer | undefined {
    if (!this.#responses.isAtBoundary) return this.#responses.takeUnfinished();
    if (this.#requests.isTerminated || this.#link.isClosing) return undefined;
    if (this.#responses.endedWithError) return undefined;
    return encodePgError(upstreamLost());
  }
}
