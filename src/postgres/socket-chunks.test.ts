import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { RecyclingSocket, takeChunks } from './socket-chunks.ts';

/** Sends the pieces in one write each, and what comes first by itself; then ends. */
async function serve(
  pieces: readonly Buffer[],
  receive: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    void (async () => {
      for (const [index, piece] of pieces.entries()) {
        if (!socket.write(piece)) await once(socket, 'drain');
        if (index % 7 === 0) await nextTurn();
      }
      socket.end();
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await receive((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

/** Waits after each chunk that `waits` says so, and looks whether it is still what it was. */
async function takeAll(socket: Socket, port: number, waits: readonly boolean[]): Promise<Buffer> {
  const taken: Buffer[] = [];
  let inTheWorks = 0;
  takeChunks(socket, (chunk) => {
    assert.equal(inTheWorks, 0, 'a chunk came while another was in the works');
    const copy = Buffer.from(chunk);
    taken.push(copy);
    if (waits[taken.length % waits.length] !== true) return undefined;
    inTheWorks += 1;
    return nextTurn().then(() => {
      inTheWorks -= 1;
      assert.ok(chunk.equals(copy), 'the memory of a chunk changed while it was in the works');
    });
  });
  const closed = once(socket, 'close');
  socket.connect(port, '127.0.0.1');
  await closed;
  return Buffer.concat(taken);
}

const piece = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 200 }) },
  fc.integer({ min: 1, max: 300_000 }).map((length) => new Uint8Array(length).fill(length)),
);

describe('chunks of a socket', function () {
  this.timeout(60_000);

  for (const [name, open] of [
    ['that reads into the same memory', () => new RecyclingSocket()],
    ['of any kind', () => new Socket()],
  ] as const) {
    it(`${name} are all that was sent, and stay as they are until they are done with`, () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(piece, { minLength: 1, maxLength: 60 }),
          fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
          async (pieces, waits) => {
            const buffers = pieces.map((bytes) => Buffer.from(bytes));
            await serve(buffers, async (port) => {
              const taken = await takeAll(open(), port, waits);
              assert.ok(taken.equals(Buffer.concat(buffers)));
            });
          },
        ),
        { numRuns: 60 },
      ));
  }

  it('go to listeners until they are taken, in memory of their own', async () => {
    await serve([Buffer.from('first')], async (port) => {
      const socket = new RecyclingSocket();
      socket.connect(port, '127.0.0.1');
      const [heard] = (await once(socket, 'data')) as [Buffer];
      assert.equal(String(heard), 'first');
      await once(socket, 'close');
    });
  });

  it('are not read any more once the socket is destroyed', async () => {
    const pieces = Array.from({ length: 1_000 }, () => Buffer.alloc(100, 1));
    await serve(pieces, async (port) => {
      const socket = new RecyclingSocket();
      let count = 0;
      takeChunks(socket, () => {
        count += 1;
        if (count === 3) socket.destroy();
        return undefined;
      });
      socket.connect(port, '127.0.0.1');
      await once(socket, 'close');
      await nextTurn();
      assert.equal(count, 3);
    });
  });
});
