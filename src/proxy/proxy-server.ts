import net from 'node:net';
import tls from 'node:tls';
import type { ChangeLogs } from '../contracts/change-logs.ts';
import type { Logger } from '../contracts/logger.ts';
import type { CloseReason, ProxyMetrics } from '../contracts/proxy-metrics.ts';
import type { Rewriter } from '../contracts/rewriter.ts';
import { shuttingDown, tooManyClients, upstreamUnreachable } from '../core/errors/connection.ts';
import { PgError } from '../core/errors/pg-error.ts';
import {
  clientConnectionsMax,
  socketBufferBytesMax,
  startupDeadlineMs,
  tcpKeepAliveMs,
} from '../core/limits.ts';
import { asksForReplication } from '../protocol/startup-packet.ts';
import { relayCancelRequest } from './cancel-relay.ts';
import { type Greeting, greetClient } from './client-greeting.ts';
import { encodePgError } from './pg-error-message.ts';
import { Session } from './session.ts';
import { connectUpstream, describeUpstream, type Upstream } from './upstream-connection.ts';

export type ProxyOptions = {
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstream: Upstream;
  /** Turns TLS towards the clients on. PEM. */
  readonly clientTls?: { readonly certificate: string | Buffer; readonly key: string | Buffer };
  readonly rewriter: Rewriter;
  readonly changeLogs: ChangeLogs;
  readonly metrics: ProxyMetrics;
  readonly logger: Logger;
  /** Clients at a time; `clientConnectionsMax` when left out. */
  readonly connectionsMax?: number;
};

export type ProxyStats = {
  readonly connectionsOpen: number;
  readonly connectionsTotal: number;
};

export interface ProxyServer {
  readonly address: { readonly host: string; readonly port: number };
  readonly stats: ProxyStats;
  /**
   * Takes nobody new and ends every session with FATAL 57P01: between transactions until the
   * deadline, wherever it is then. Resolves when all are closed. May be called again.
   */
  drain(deadlineMs: number): Promise<void>;
  /** Ends everything at once. Resolves when all is closed. May be called again. */
  stop(): Promise<void>;
}

/** Listens and proxies until told to stop. Rejects when the address cannot be listened on. */
export async function startProxy(options: ProxyOptions): Promise<ProxyServer> {
  const proxy = new ListeningProxy(options);
  await proxy.listen();
  return proxy;
}

/** One client connection, whatever it turns out to want. */
type Connection = { socket: net.Socket; session: Session | undefined };

class ListeningProxy implements ProxyServer {
  readonly #options: ProxyOptions;
  readonly #secureContext: tls.SecureContext | undefined;
  readonly #server: net.Server;
  readonly #connections: Set<Connection> = new Set();
  #connectionsTotal = 0;
  #isDraining = false;
  #allClosed: (() => void)[] = [];

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { clientTls } = options;
    this.#secureContext =
      clientTls &&
      tls.createSecureContext({
        cert: clientTls.certificate,
        key: clientTls.key,
        minVersion: 'TLSv1.2',
      });
    this.#server = net.createServer(
      {
        allowHalfOpen: true,
        pauseOnConnect: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: tcpKeepAliveMs,
        highWaterMark: socketBufferBytesMax,
      },
      (socket) => void this.#accept(socket),
    );
  }

  get #connectionsMax(): number {
    return this.#options.connectionsMax ?? clientConnectionsMax;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.removeListener('error', reject);
        // For instance out of file descriptors: the sessions that are there go on.
        this.#server.on('error', (error) => {
          this.#options.logger.error('listening socket failed', { error });
        });
        resolve();
      });
    });
  }

  get address(): { readonly host: string; readonly port: number } {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return this.#options.listen;
    return { host: address.address, port: address.port };
  }

  get stats(): ProxyStats {
    return {
      connectionsOpen: this.#connections.size,
      connectionsTotal: this.#connectionsTotal,
    };
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    this.#server.close();
    const closed = this.#whenAllClosed();
    for (const { socket, session } of this.#connections) {
      if (session === undefined) socket.destroySoon();
      else session.drain();
    }
    const timer = setTimeout(() => {
      for (const { socket, session } of this.#connections) {
        if (session === undefined) socket.destroy();
        else session.terminate('drained');
      }
    }, deadlineMs);
    await closed;
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    this.#isDraining = true;
    this.#server.close();
    const closed = this.#whenAllClosed();
    for (const { socket, session } of this.#connections) {
      if (session === undefined) socket.destroy();
      else session.destroy('stopped');
    }
    await closed;
  }

  #whenAllClosed(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#allClosed.push(resolve));
  }

  async #accept(socket: net.Socket): Promise<void> {
    const connection: Connection = { socket, session: undefined };
    const remote = `${socket.remoteAddress}:${socket.remotePort}`;
    const isFull = this.#connections.size >= this.#connectionsMax;
    this.#connections.add(connection);
    this.#connectionsTotal++;
    this.#options.metrics.connectionOpened();
    const timer = setTimeout(() => socket.destroy(), startupDeadlineMs);
    const greeting = await greetClient(socket, this.#secureContext);
    clearTimeout(timer);
    connection.socket = greeting.socket;
    const reason = await this.#serve(greeting, { connection, isFull, remote });
    this.#connections.delete(connection);
    this.#options.metrics.connectionClosed(reason);
    if (this.#connections.size > 0) return;
    for (const resolve of this.#allClosed.splice(0)) resolve();
  }

  /** Resolves when the connection has ended. Never rejects. */
  async #serve(
    greeting: Greeting,
    of: { readonly connection: Connection; readonly isFull: boolean; readonly remote: string },
  ): Promise<CloseReason> {
    const { logger, upstream } = this.#options;
    const { socket } = greeting;
    switch (greeting.kind) {
      case 'refused':
        logger.debug('client connection refused', { remote: of.remote, error: greeting.error });
        await say(socket, greeting.error);
        return 'refused';
      case 'cancel-request':
        if (this.#cancelClaim(greeting.backendKey)) await say(socket, undefined);
        else await relayCancelRequest({ bytes: greeting.bytes, client: socket, upstream, logger });
        return 'cancel-request';
      case 'startup':
        if (this.#isDraining || of.isFull) {
          const error = this.#isDraining ? shuttingDown() : tooManyClients(this.#connectionsMax);
          logger.warn('client connection refused', { remote: of.remote, error });
          await say(socket, error);
          return 'refused';
        }
        return this.#connect(greeting, of);
    }
  }

  /** A statement that is still here has to be canceled here. */
  #cancelClaim(backendKey: Buffer): boolean {
    for (const { session } of this.#connections) {
      if (session?.cancelClaim(backendKey)) return true;
    }
    return false;
  }

  async #connect(
    greeting: Extract<Greeting, { kind: 'startup' }>,
    { connection, remote }: { readonly connection: Connection; readonly remote: string },
  ): Promise<CloseReason> {
    const { logger, metrics, rewriter, changeLogs, upstream } = this.#options;
    const { socket: client, startup } = greeting;
    let server: net.Socket;
    try {
      server = await connectUpstream(upstream);
    } catch (error) {
      const where = describeUpstream(upstream);
      const known = error instanceof PgError ? error : upstreamUnreachable(where, String(error));
      logger.error('upstream unreachable', { remote, detail: known.detail });
      await say(client, known);
      return 'server-unreachable';
    }
    const session = await new Promise<{ readonly reason: CloseReason }>((resolve) => {
      connection.session = new Session({
        client,
        server,
        startupBytes: greeting.bytes,
        startupPacketBytes: startup.packetBytes,
        isReplication: asksForReplication(startup.parameters),
        hidesChannelBinding: server instanceof tls.TLSSocket && !(client instanceof tls.TLSSocket),
        database: databaseOf(startup.parameters),
        services: { logger, metrics, rewriter, changeLogs },
        closed: (reason) => resolve({ reason }),
      });
      if (this.#isDraining) connection.session.drain();
    });
    const fields = {
      remote,
      user: startup.parameters.get('user'),
      database: startup.parameters.get('database'),
      reason: session.reason,
    };
    if (session.reason === 'terminated') logger.debug('session ended', fields);
    else if (session.reason === 'server-closed') logger.warn('session ended', fields);
    else logger.info('session ended', fields);
    return session.reason;
  }
}

/** As Postgres takes it: who does not name a database means that of his own name. */
function databaseOf(parameters: ReadonlyMap<string, string>): string {
  return parameters.get('database') || parameters.get('user') || '';
}

/** Says a last word, if there is one, and closes. Resolves when the socket is closed. */
function say(socket: net.Socket, error: PgError | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) {
      resolve();
      return;
    }
    socket.once('close', () => resolve());
    if (error !== undefined && socket.writable) socket.write(encodePgError(error));
    socket.destroySoon();
  });
}
