import type net from 'node:net';
import type { Logger } from '../contracts/logger.ts';
import { closingLingerMs } from '../core/limits.ts';
import { connectUpstream, type Upstream } from './upstream-connection.ts';

/**
 * Sends a CancelRequest to the upstream as it came and waits until the server has closed the
 * connection: by then the signal is sent, which is what a client may conclude from our closing too.
 * The keys are the upstream's own, so any proxy process may do this for any session.
 */
export async function relayCancelRequest(options: {
  readonly bytes: Buffer;
  readonly client: net.Socket;
  readonly upstream: Upstream;
  readonly logger: Logger;
}): Promise<void> {
  const { bytes, client, upstream, logger } = options;
  try {
    const server = await connectUpstream(upstream);
    await sendAndAwaitClose(server, bytes);
  } catch (error) {
    // Postgres answers a cancel request with nothing, whatever became of it.
    logger.warn('cancel request could not be forwarded', { error });
  }
  client.destroySoon();
}

function sendAndAwaitClose(server: net.Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.destroy(), closingLingerMs);
    server.on('error', () => undefined);
    server.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    server.once('end', () => server.destroy());
    server.resume();
    server.write(bytes);
  });
}
