import net from 'node:net';
import { encodeFrame, nul } from '../../protocol/frame-writer.ts';
import { serverMessage } from '../../protocol/message-types.ts';

/** A server that says what a test wants it to, at the byte. */
export type FakeUpstream = {
  readonly address: { readonly host: string; readonly port: number };
  readonly sockets: readonly net.Socket[];
  close(): void;
};

export async function fakeUpstream(
  onConnection: (socket: net.Socket) => void,
): Promise<FakeUpstream> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    address: { host: '127.0.0.1', port },
    sockets,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

export const readyForQuery: Buffer = encodeFrame(serverMessage.readyForQuery, Buffer.from('I'));

/** What a server without passwords says to a startup packet. */
export const welcome: Buffer = Buffer.concat([
  encodeFrame(serverMessage.authentication, Buffer.alloc(4)),
  encodeFrame(
    serverMessage.parameterStatus,
    Buffer.from('client_encoding'),
    nul,
    Buffer.from('UTF8'),
    nul,
  ),
  readyForQuery,
]);
