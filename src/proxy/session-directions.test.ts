import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeFrame } from '../protocol/frame-writer.ts';
import { clientMessage, serverMessage } from '../protocol/message-types.ts';
import { RequestSide } from './request-side.ts';
import { ResponseSide } from './response-side.ts';
import { SessionContext } from './session-context.ts';
import { noChangeLogs, passingRewriter, Witness } from './testing/proxy-under-test.ts';

/** Both directions of a session on wires of memory. */
function session() {
  const toServer: Buffer[] = [];
  const toClient: Buffer[] = [];
  let held = false;
  const witness = new Witness();
  const context = new SessionContext(
    { rewriter: passingRewriter, changeLogs: noChangeLogs, metrics: witness, logger: witness },
    {
      toServer: (bytes) => void toServer.push(Buffer.from(bytes)),
      toClient: (bytes) => void toClient.push(Buffer.from(bytes)),
      holdClient: () => {
        held = true;
      },
      releaseClient: () => {
        held = false;
      },
      isClosing: false,
    },
    'shop',
  );
  const requests = new RequestSide(context);
  const responses = new ResponseSide(context, {
    hidesChannelBinding: false,
    progressed: () => requests.proceed(),
  });
  return { requests, responses, toServer, toClient, isHeld: () => held };
}

const framesOf = (types: Readonly<Record<string, number>>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(...Object.values(types)), fc.uint8Array({ maxLength: 30 }))
    .map(([type, body]) => encodeFrame(type, Buffer.from(body)));
const garbage = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes));
const streamOf = (types: Readonly<Record<string, number>>): fc.Arbitrary<Buffer[]> =>
  fc.array(
    fc.oneof({ weight: 12, arbitrary: framesOf(types) }, { weight: 1, arbitrary: garbage }),
    { maxLength: 30 },
  );

/** Cuts the joined parts at other places. */
function recut(parts: readonly Buffer[], sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.concat(parts);
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : 1 + (sizes[i % sizes.length] ?? 0);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

describe('both directions of a session (invariants 1 and 11)', () => {
  it('forward whatever comes, however it is cut, and never throw', () => {
    fc.assert(
      fc.property(
        streamOf(clientMessage),
        streamOf(serverMessage),
        fc.array(fc.nat(40), { maxLength: 10 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
        (fromClient, fromServer, sizes, turns) => {
          const { requests, responses, toServer, toClient, isHeld } = session();
          const clientChunks = recut(fromClient, sizes);
          const serverChunks = recut(fromServer, sizes);
          const given = { client: Buffer.concat(fromClient), server: Buffer.concat(fromServer) };
          for (let i = 0; clientChunks.length + serverChunks.length > 0; i++) {
            const isClientsTurn =
              clientChunks.length > 0 && (serverChunks.length === 0 || turns[i % turns.length]);
            const chunk = isClientsTurn ? clientChunks.shift() : serverChunks.shift();
            if (chunk === undefined) continue;
            if (isClientsTurn) requests.receive(chunk);
            else responses.receive(chunk);
            assert.ok(!isHeld());
          }
          // What is missing at the end is a message that was never finished.
          const unfinished = responses.takeUnfinished();
          assert.deepEqual(Buffer.concat([...toClient, unfinished]), given.server);
          const sent = Buffer.concat(toServer);
          assert.deepEqual(sent, given.client.subarray(0, sent.length));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
