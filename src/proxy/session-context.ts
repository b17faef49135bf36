import type { ChangeLogs } from '../contracts/change-logs.ts';
import type { Logger } from '../contracts/logger.ts';
import type { ProxyMetrics } from '../contracts/proxy-metrics.ts';
import type { Rewriter } from '../contracts/rewriter.ts';
import { LoweredStatements, type Note } from './lowered-statements.ts';
import { ResponseQueue } from './response-queue.ts';
import type { HoldReason } from './session-link.ts';

/** What sessions share. */
export type SessionServices = {
  readonly rewriter: Rewriter;
  readonly changeLogs: ChangeLogs;
  readonly metrics: ProxyMetrics;
  readonly logger: Logger;
};

/** The wires of a session, as its two directions see them. */
export type SessionWires = {
  toServer(bytes: Buffer): void;
  toClient(bytes: Buffer): void;
  holdClient(reason: HoldReason): void;
  releaseClient(reason: HoldReason): void;
  readonly isClosing: boolean;
};

/** What both directions of one session know. */
export class SessionContext {
  readonly services: SessionServices;
  readonly wires: SessionWires;
  /** The database the client asked for. */
  readonly database: string;
  readonly statements: LoweredStatements = new LoweredStatements();
  readonly queue: ResponseQueue<Note> = new ResponseQueue<Note>((note) => {
    if (note.kind === 'probe') note.probe.dropped();
    if (note.kind === 'survey') note.survey.ended();
    if (note.kind === 'question') note.question.dropped();
  });
  /** From ParameterStatus; undefined until the server has said it. */
  clientEncoding: string | undefined;
  standardConformingStrings = true;
  /** The first ReadyForQuery has arrived. */
  isStarted = false;
  /** From here on bytes are relayed unread, both ways (invariant 11). */
  isOpaque = false;
  /** Process id and key of the backend, as a cancel request names it. */
  backendKey: Buffer | undefined;
  /** Ends the wait for a worker, with an error; undefined while there is none. */
  cancelClaim: (() => void) | undefined;
  /**
   * A cancel request has come for the statement that is being dealt with. The backend gets it too,
   * and does nothing where it waits for the proxy, which then has to notice.
   */
  isCanceled = false;
  /** Rows are streamed without an end, so the session ends at any message boundary. */
  isFollowing = false;
  /**
   * While rows are streamed to a client without an end it is read, and what it says is kept, for
   * its farewell would not be noticed otherwise.
   */
  listensWhileClaiming: (isListening: boolean) => void = () => undefined;
  /** Probes that failed after their Parse: the names they left behind are not used again. */
  probesLeftBehind = 0;

  #waiting: (() => void)[] = [];

  constructor(services: SessionServices, wires: SessionWires, database: string) {
    this.services = services;
    this.database = database;
    this.wires = wires;
    this.queue.sent('startup');
  }

  /** Resolves when the server has said something more. At most one caller waits: the claim. */
  serverProgress(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  noteServerProgress(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
