import type net from 'node:net';
import tls from 'node:tls';
import {
  directTlsWithoutAlpn,
  unencryptedDataAfterRequest,
  unsupportedFrontendProtocol,
} from '../core/errors/connection.ts';
import type { PgError } from '../core/errors/pg-error.ts';
import {
  decodeStartupPacket,
  type StartupPacket,
  tlsHandshakeByte,
} from '../protocol/startup-packet.ts';

/** What a client wants, once encryption is settled. */
export type Greeting =
  | {
      readonly kind: 'startup';
      /** The client's socket, or the TLS socket around it. Paused. */
      readonly socket: net.Socket;
      readonly startup: Extract<StartupPacket, { kind: 'startup' }>;
      /** The startup packet and whatever the client sent behind it. */
      readonly bytes: Buffer;
    }
  | {
      readonly kind: 'cancel-request';
      readonly socket: net.Socket;
      readonly bytes: Buffer;
      /** Process id and key of the backend that is meant. */
      readonly backendKey: Buffer;
    }
  /** Without an error there is nothing to say to this client. */
  | { readonly kind: 'refused'; readonly socket: net.Socket; readonly error?: PgError };

const acceptTls = Buffer.from('S');
const refuse = Buffer.from('N');
const alpnProtocol = 'postgresql';
const emptyBuffer = Buffer.alloc(0);

/**
 * Listens to a new client until it has sent its startup packet or a cancel request: SSLRequest,
 * GSSENCRequest (once each, as Postgres allows) and direct TLS are answered here. Never rejects.
 */
export async function greetClient(
  raw: net.Socket,
  secureContext: tls.SecureContext | undefined,
): Promise<Greeting> {
  let socket = raw;
  let bytes: Buffer = emptyBuffer;
  let tlsSettled = false;
  let gssSettled = false;
  for (;;) {
    const packet = decodeStartupPacket(bytes);
    if (!tlsSettled && bytes[0] === tlsHandshakeByte) {
      if (secureContext === undefined) return { kind: 'refused', socket };
      socket.unshift(bytes);
      const secure = await startTls(socket, secureContext);
      if (secure === undefined) return { kind: 'refused', socket };
      if (secure.alpnProtocol !== alpnProtocol) {
        return { kind: 'refused', socket: secure, error: directTlsWithoutAlpn() };
      }
      socket = secure;
      bytes = emptyBuffer;
      tlsSettled = true;
      continue;
    }
    switch (packet.kind) {
      case 'incomplete': {
        const chunk = await nextChunk(socket);
        if (chunk === undefined) return { kind: 'refused', socket };
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
        continue;
      }
      case 'malformed':
        return { kind: 'refused', socket };
      case 'cancel-request':
        return {
          kind: 'cancel-request',
          socket,
          bytes: bytes.subarray(0, packet.packetBytes),
          backendKey: packet.backendKey,
        };
      case 'gss-request':
        if (gssSettled) return refusedRequest(socket, packet.kind);
        gssSettled = true;
        bytes = bytes.subarray(packet.packetBytes);
        socket.write(refuse);
        if (bytes.length > 0) return unencrypted(socket, 'GSSAPI encryption');
        continue;
      case 'ssl-request': {
        if (tlsSettled) return refusedRequest(socket, packet.kind);
        tlsSettled = true;
        bytes = bytes.subarray(packet.packetBytes);
        if (secureContext === undefined) socket.write(refuse);
        if (bytes.length > 0) return unencrypted(socket, 'SSL');
        if (secureContext === undefined) continue;
        // The one excludes the other.
        gssSettled = true;
        socket.write(acceptTls);
        const secure = await startTls(socket, secureContext);
        if (secure === undefined) return { kind: 'refused', socket };
        socket = secure;
        continue;
      }
      case 'startup':
        return { kind: 'startup', socket, startup: packet, bytes };
    }
  }
}

/** What came with the request was written before encryption was settled, by whomever. */
function unencrypted(socket: net.Socket, request: string): Greeting {
  return { kind: 'refused', socket, error: unencryptedDataAfterRequest(request) };
}

/** Asked twice, a request is read as a protocol version nobody speaks. */
function refusedRequest(socket: net.Socket, kind: 'ssl-request' | 'gss-request'): Greeting {
  const minor = kind === 'ssl-request' ? 5679 : 5680;
  return { kind: 'refused', socket, error: unsupportedFrontendProtocol(1234, minor) };
}

/** Undefined when the client is gone. */
function nextChunk(socket: net.Socket): Promise<Buffer | undefined> {
  return awaitEvent<Buffer>(socket, (done) => {
    const onData = (chunk: Buffer): void => {
      socket.pause();
      done(chunk);
    };
    socket.once('data', onData);
    socket.resume();
    return () => socket.removeListener('data', onData);
  });
}

/** The TLS socket around a client's socket; undefined when the handshake failed. */
function startTls(
  socket: net.Socket,
  secureContext: tls.SecureContext,
): Promise<tls.TLSSocket | undefined> {
  const secure = new tls.TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: [alpnProtocol],
  });
  secure.allowHalfOpen = true;
  return awaitEvent<tls.TLSSocket>(secure, (done) => {
    const onSecure = (): void => {
      secure.pause();
      done(secure);
    };
    secure.once('secure', onSecure);
    return () => secure.removeListener('secure', onSecure);
  });
}

/** What `begin` waits for, or undefined when the socket ends first. */
function awaitEvent<Result>(
  socket: net.Socket,
  begin: (done: (result: Result) => void) => () => void,
): Promise<Result | undefined> {
  return new Promise((resolve) => {
    const gone = (): void => finish(undefined);
    const finish = (result: Result | undefined): void => {
      stop();
      for (const event of ['end', 'close', 'error']) socket.removeListener(event, gone);
      // Until the session listens, an error only means that the client is gone.
      if (socket.listenerCount('error') === 0) socket.on('error', () => undefined);
      resolve(result);
    };
    for (const event of ['end', 'close', 'error']) socket.once(event, gone);
    const stop = begin(finish);
    if (socket.destroyed) gone();
  });
}
