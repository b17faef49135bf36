import net from 'node:net';
import tls from 'node:tls';
import { upstreamUnreachable, upstreamWithoutTls } from '../core/errors/connection.ts';
import { socketBufferBytesMax, tcpKeepAliveMs, upstreamConnectDeadlineMs } from '../core/limits.ts';
import { sslRequest } from '../protocol/startup-packet.ts';
import { readToEnd } from './read-to-end.ts';

/** As libpq's parameter of the same name. */
export const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

export type Upstream = {
  /** A host name, an address, or, when it begins with a slash, the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly tls?: {
    readonly mode: SslMode;
    /** Certificates to trust, PEM; the system's own when left out. */
    readonly authority?: string | Buffer;
  };
};

/** Whether the bytes to the upstream stay in the machine's own kernel. */
export function isUnixSocket(upstream: Upstream): boolean {
  return upstream.host.startsWith('/');
}

/** The upstream in words, as libpq puts it. */
export function describeUpstream(upstream: Upstream): string {
  return isUnixSocket(upstream)
    ? `server on socket "${socketPath(upstream)}"`
    : `server at "${upstream.host}", port ${upstream.port}`;
}

/**
 * A new connection to the upstream, TLS negotiated as configured, nothing said yet. It is paused.
 * Rejects with a PgError for the client.
 */
export async function connectUpstream(upstream: Upstream): Promise<net.Socket> {
  return readToEnd(await negotiated(upstream));
}

async function negotiated(upstream: Upstream): Promise<net.Socket> {
  const mode = isUnixSocket(upstream) ? 'disable' : (upstream.tls?.mode ?? 'prefer');
  const socket = await openSocket(upstream);
  if (mode === 'disable') return socket;
  const offersTls = await asksForTls(socket, upstream);
  if (!offersTls) {
    if (mode === 'prefer') return socket;
    socket.destroy();
    throw upstreamWithoutTls(describeUpstream(upstream));
  }
  try {
    return await startTls(socket, upstream, mode);
  } catch (error) {
    if (mode !== 'prefer') throw error;
    return openSocket(upstream);
  }
}

function socketPath(upstream: Upstream): string {
  return `${upstream.host}/.s.PGSQL.${upstream.port}`;
}

function openSocket(upstream: Upstream): Promise<net.Socket> {
  const options = { allowHalfOpen: true, highWaterMark: socketBufferBytesMax };
  const socket = isUnixSocket(upstream)
    ? net.connect({ ...options, path: socketPath(upstream) })
    : net.connect({
        ...options,
        host: upstream.host,
        port: upstream.port,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: tcpKeepAliveMs,
      });
  return settle(socket, upstream, (done) => {
    socket.once('connect', () => done(socket));
    socket.pause();
  });
}

/** The server's one-byte answer to an SSLRequest. */
function asksForTls(socket: net.Socket, upstream: Upstream): Promise<boolean> {
  return settle(socket, upstream, (done, fail) => {
    socket.once('data', (answer) => {
      socket.pause();
      // More than one byte would be plaintext that somebody put before the handshake.
      if (answer.length === 1 && answer[0] === 0x53) done(true);
      else if (answer.length === 1 && answer[0] === 0x4e) done(false);
      else fail('it does not speak the Postgres protocol');
    });
    socket.write(sslRequest);
    socket.resume();
  });
}

function startTls(socket: net.Socket, upstream: Upstream, mode: SslMode): Promise<net.Socket> {
  const authority = upstream.tls?.authority;
  const verifies = mode === 'verify-ca' || mode === 'verify-full';
  const secure = tls.connect({
    socket,
    ALPNProtocols: ['postgresql'],
    // A name in SNI may not be an address.
    ...(net.isIP(upstream.host) === 0 ? { servername: upstream.host } : {}),
    ...(authority === undefined ? {} : { ca: authority }),
    // With an authority at hand, libpq lets `require` check it too.
    rejectUnauthorized: verifies || (mode === 'require' && authority !== undefined),
    checkServerIdentity: (_name, certificate) =>
      mode === 'verify-full' ? tls.checkServerIdentity(upstream.host, certificate) : undefined,
  });
  secure.allowHalfOpen = true;
  return settle(secure, upstream, (done) => {
    secure.once('secureConnect', () => done(secure));
    secure.pause();
  });
}

/** One step of connecting: its own outcome, or an error, the peer's closing, or the deadline. */
function settle<Result>(
  socket: net.Socket,
  upstream: Upstream,
  begin: (done: (result: Result) => void, fail: (reason: string) => void) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
      socket.removeListener('end', onClose);
    };
    const fail = (reason: string, cause?: unknown): void => {
      finish();
      // A late error of a socket nobody waits for is of no interest.
      socket.on('error', () => undefined);
      socket.destroy();
      reject(upstreamUnreachable(describeUpstream(upstream), reason, cause));
    };
    const onError = (error: NodeJS.ErrnoException): void => fail(reasonOf(error), error);
    const onClose = (): void => fail('the server closed the connection');
    const timer = setTimeout(() => fail('timeout expired'), upstreamConnectDeadlineMs);
    socket.once('error', onError);
    socket.once('close', onClose);
    socket.once('end', onClose);
    begin((result) => {
      finish();
      resolve(result);
    }, fail);
  });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be resolved',
  ETIMEDOUT: 'timeout expired',
};

function reasonOf(error: NodeJS.ErrnoException): string {
  const known = error.code === undefined ? undefined : reasons[error.code];
  return known ?? (error.message || 'unknown reason').replace(/\.$/, '');
}
