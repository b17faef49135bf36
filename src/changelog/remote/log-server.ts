import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Logger } from '../../contracts/logger.ts';
import { instanceBytes } from './handshake.ts';
import { connectionsMax, handshakeDeadlineMs } from './limits.ts';
import { ServedConnection, type ServedLog } from './served-connection.ts';

export type LogServerOptions = {
  readonly listen: { readonly host: string; readonly port: number };
  /** Undefined for a database that has no log here. */
  readonly logOf: (database: string) => ServedLog | undefined;
  readonly logger: Logger;
  /** How long a handshake may take; `handshakeDeadlineMs`. */
  readonly deadlineMs?: number;
  /** Nodes at a time; `connectionsMax`. */
  readonly connectionsMax?: number;
};

/** Serves the change logs of this node to other nodes. */
export class LogServer {
  readonly #server: Server;
  readonly #connections: Set<ServedConnection> = new Set();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects with the error of the socket when it cannot listen. */
  static async listen(options: LogServerOptions): Promise<LogServer> {
    const { listen, logOf, logger } = options;
    const max = options.connectionsMax ?? connectionsMax;
    const deadlineMs = options.deadlineMs ?? handshakeDeadlineMs;
    const instance = randomBytes(instanceBytes);
    const server = createServer();
    const served = new LogServer(server);
    server.on('connection', (socket) => {
      if (served.#connections.size >= max) {
        // Its error, if it has one, is nobody's business any more.
        socket.on('error', () => undefined).destroy();
        logger.warn('too many nodes read the change log', { max });
        return;
      }
      const from = socket.remoteAddress;
      const connection: ServedConnection = new ServedConnection(socket, {
        instance,
        logOf,
        deadlineMs,
        onClosed: (cause) => {
          served.#connections.delete(connection);
          if (cause !== undefined) logger.info('node that reads the log was let go', reason(cause));
        },
        onFailure: (error) => logger.error('reading the change log failed', { error, from }),
      });
      served.#connections.add(connection);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listen.port, listen.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => logger.error('listening for other nodes failed', { error }));
    return served;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}

function reason(cause: unknown): { readonly reason: string } {
  const { message, detail } = cause as { readonly message?: string; readonly detail?: string };
  return { reason: [message, detail].filter(Boolean).join(': ') };
}
