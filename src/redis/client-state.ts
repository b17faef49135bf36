import type { RespVersion } from './resp/reply.ts';
import type { AccessByDatabase } from './services.ts';

/** Which replies a client wants to see, by CLIENT REPLY: all, none, not the next, not this one. */
export type ReplyMode = 'on' | 'off' | 'skip-next' | 'skip-this';

/** What the endpoint knows about one client while it is connected. */
export class ClientState {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number = Date.now();
  name = '';
  libraryName = '';
  libraryVersion = '';
  version: RespVersion = 2;
  user: string;
  /** Undefined until the client has authenticated. */
  access: AccessByDatabase | undefined;
  replyMode: ReplyMode = 'on';
  wrongPasswords = 0;
  /** Why the connection ends after the reply that is under way. */
  leaving: 'quit' | 'wrong-passwords' | undefined;
  /** Called when the client begins to wait for changes. */
  blocked: () => void = () => undefined;
  readonly #openAccess: AccessByDatabase | undefined;
  readonly #defaultUser: string;
  #blocking: AbortController | undefined;
  #isGone = false;

  constructor(of: {
    readonly id: number;
    readonly address: string;
    readonly localAddress: string;
    readonly openAccess: AccessByDatabase | undefined;
    readonly defaultUser: string;
  }) {
    this.id = of.id;
    this.address = of.address;
    this.localAddress = of.localAddress;
    this.#openAccess = of.openAccess;
    this.#defaultUser = of.defaultUser;
    this.access = of.openAccess;
    this.user = of.defaultUser;
  }

  /** As it was when it connected. */
  reset(): void {
    this.access = this.#openAccess;
    this.user = this.#defaultUser;
    this.name = '';
    this.version = 2;
    this.replyMode = 'on';
  }

  get isBlocked(): boolean {
    return this.#blocking !== undefined;
  }

  /** Runs something that waits for changes; its signal aborts when nobody waits for them any more. */
  async whileBlocked<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#blocking = new AbortController();
    const { signal } = this.#blocking;
    if (this.#isGone) this.#blocking.abort();
    else this.blocked();
    try {
      return await run(signal);
    } finally {
      this.#blocking = undefined;
    }
  }

  /** Ends the waiting, now and from now on. */
  stopWaiting(): void {
    this.#isGone = true;
    this.#blocking?.abort();
  }
}
