import net from 'node:net';
import {
  redisClientsMax,
  redisWriteStallMs,
  socketBufferBytesMax,
  tcpKeepAliveMs,
} from '../core/limits.ts';
import { AuthenticationGate } from './authentication-gate.ts';
import { ClientConnection } from './client-connection.ts';
import { ClientState } from './client-state.ts';
import type { Endpoint } from './commands/command.ts';
import type { RedisServices } from './services.ts';

export type RedisOptions = RedisServices & {
  readonly listen: { readonly host: string; readonly port: number };
  /** Clients at a time; `redisClientsMax` when left out. */
  readonly clientsMax?: number;
  /** How long a client may leave its replies unread; `redisWriteStallMs` when left out. */
  readonly writeStallMs?: number;
};

export interface RedisServer {
  /** Where it listens, the port as the system gave it. */
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Takes nobody new and ends every client after the reply that is under way, those that wait for
   * changes at once, all at the deadline. Resolves when all are closed. May be called again.
   */
  drain(deadlineMs: number): Promise<void>;
  /** Ends everything at once. Resolves when all is closed. May be called again. */
  close(): Promise<void>;
}

/** Listens and serves until told to stop. Rejects with the error of listening. */
export async function startRedisServer(options: RedisOptions): Promise<RedisServer> {
  const server = new ListeningServer(options);
  await server.listen();
  return server;
}

class ListeningServer implements RedisServer {
  readonly #options: RedisOptions;
  readonly #endpoint: Endpoint;
  readonly #server: net.Server;
  readonly #clients: Set<ClientConnection> = new Set();
  #clientsTotal = 0;
  #isDraining = false;
  #allClosed: (() => void)[] = [];

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#endpoint = {
      services: options,
      gate: new AuthenticationGate(options),
      writeStallMs: options.writeStallMs ?? redisWriteStallMs,
      startedAtMs: Date.now(),
      port: () => this.address.port,
      clientsOpen: () => this.#clients.size,
      clientsBlocked: () => [...this.#clients].filter(({ state }) => state.isBlocked).length,
    };
    this.#server = net.createServer(
      {
        allowHalfOpen: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: tcpKeepAliveMs,
        highWaterMark: socketBufferBytesMax,
      },
      (socket) => this.#accept(socket),
    );
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.listen, () => {
        this.#server.removeListener('error', reject);
        // For instance out of file descriptors: the clients that are there go on.
        this.#server.on('error', (error) => {
          this.#options.logger.error('listening socket of the redis endpoint failed', { error });
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

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    this.#server.close();
    const closed = this.#whenAllClosed();
    for (const client of [...this.#clients]) client.drain();
    const timer = setTimeout(() => this.#destroyAll('drained'), deadlineMs);
    await closed;
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    this.#server.close();
    const closed = this.#whenAllClosed();
    this.#destroyAll('stopped');
    await closed;
  }

  #destroyAll(reason: 'drained' | 'stopped'): void {
    for (const client of [...this.#clients]) client.destroy(reason);
  }

  #whenAllClosed(): Promise<void> {
    if (this.#clients.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#allClosed.push(resolve));
  }

  #accept(socket: net.Socket): void {
    const {
      clientsMax = redisClientsMax,
      defaultUser,
      logger,
      metrics,
      openAccess,
    } = this.#options;
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    metrics.connectionOpened();
    if (this.#isDraining || this.#clients.size >= clientsMax) {
      logger.warn('redis client refused', { remote: address, clients: this.#clients.size });
      socket.on('error', () => undefined);
      socket.on('close', () => metrics.connectionClosed('refused'));
      socket.end('-ERR max number of clients reached\r\n', () => socket.destroy());
      return;
    }
    this.#clientsTotal += 1;
    const state = new ClientState({
      id: this.#clientsTotal,
      address,
      localAddress: `${socket.localAddress}:${socket.localPort}`,
      openAccess,
      defaultUser,
    });
    const client = new ClientConnection({
      socket,
      state,
      endpoint: this.#endpoint,
      closed: (reason) => {
        this.#clients.delete(client);
        metrics.connectionClosed(reason);
        logger.debug('redis client left', { remote: address, user: state.user, reason });
        if (this.#clients.size > 0) return;
        for (const resolve of this.#allClosed.splice(0)) resolve();
      },
    });
    this.#clients.add(client);
  }
}
