import type net from 'node:net';

type WriteCallback = (error?: Error | null) => void;

/**
 * Lets a socket be read to its end although it cannot be written any more. Node destroys a socket
 * when a write fails, with all that has arrived and was not read: for a server that ends a session
 * while the client is still sending, that is the error which says why.
 */
export function readToEnd<Socket extends net.Socket>(socket: Socket): Socket {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, unlessGone(callback));
  if (writev !== undefined) {
    socket._writev = (chunks, callback) => writev(chunks, unlessGone(callback));
  }
  return socket;
}

/** The peer is gone: what it said last and that it ended is told by reading. */
function unlessGone(callback: WriteCallback): WriteCallback {
  return (error) => {
    const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
    callback(code === 'EPIPE' || code === 'ECONNRESET' ? null : error);
  };
}
