import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { LogReader } from '../../contracts/log-reader.ts';
import { LocalLogReader } from '../local-log-reader.ts';
import { LogFixture } from '../testing/log-fixture.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { commonVersion, makeHello, readHello } from './handshake.ts';
import { LogConnection } from './log-connection.ts';
import { LogServer } from './log-server.ts';
import { requestKind } from './protocol.ts';
import { RemoteLogReader } from './remote-log-reader.ts';
import { framed } from './seal.ts';
import { SharedWaits } from './shared-waits.ts';

const host = '127.0.0.1';
const database = 'shop';
const secret = Buffer.alloc(32, 1);
const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe('a log stream', () => {
  let log: LogFixture;
  let local: LogReader;
  let server: LogServer;
  const open: { close(): unknown }[] = [];

  before(async () => {
    log = new LogFixture();
    await log.open();
    await log.commit([{ table: 'orders', insert: ['1', 'x'] }]);
    local = new LocalLogReader({ directory: log.directory, database });
    server = await serve(0);
  });

  after(async () => {
    for (const each of open.reverse()) await each.close();
    await local.close();
    await log.close();
  });

  async function serve(
    port: number,
    limits: { readonly deadlineMs?: number; readonly connectionsMax?: number } = {},
  ): Promise<LogServer> {
    const served = await LogServer.listen({
      listen: { host, port },
      logOf: (name) =>
        name === database ? { reader: local, secret: async () => secret } : undefined,
      logger: silent,
      ...limits,
    });
    open.push(served);
    return served;
  }

  function login(port: number, given: Buffer = secret, name: string = database) {
    return LogConnection.open({ host, port }, { database: name, secret: given });
  }

  /** Between the two sides: hands on what `change` makes of the first frame of the client. */
  async function between(change: (hello: Buffer) => Buffer): Promise<number> {
    return listen((client) => {
      const other = connect(server.port, host);
      open.push({ close: () => other.destroy() });
      const splitter = new FrameSplitter(10_000);
      let isFirst = true;
      client.on('data', (chunk: Buffer) => {
        splitter.push(chunk);
        for (let frame = splitter.next(); frame; frame = splitter.next()) {
          other.write(framed(isFirst ? change(frame) : frame));
          isFirst = false;
        }
      });
      other.on('data', (chunk) => client.write(chunk));
      other.on('close', () => client.destroy()).on('error', () => undefined);
    });
  }

  async function listen(serveOne: (socket: Socket) => void): Promise<number> {
    const listening: Server = createServer((socket) => {
      open.push({ close: () => socket.destroy() });
      serveOne(socket.on('error', () => undefined));
    });
    open.push({ close: () => listening.close() });
    await new Promise<void>((resolve) => listening.listen(0, host, resolve));
    return (listening.address() as { port: number }).port;
  }

  const notTrusted = {
    code: '08006',
    message: 'node that has the change log does not prove that it is the one',
    retryable: true,
  };

  it('is for those who know the secret, of this database', async () => {
    (await login(server.port)).close(new TypeError() as never);
    await assert.rejects(login(server.port, Buffer.alloc(32, 2)), notTrusted);
    await assert.rejects(login(server.port, secret, 'other'), notTrusted);
  });

  it('does not let in whoever ignores that the server is not trusted', async () => {
    const socket = connect(server.port, host).on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(framed(makeHello(database).hello.bytes));
    socket.once('data', () => socket.write(framed(Buffer.alloc(60))));
    await closed;
  });

  it('cannot be opened by what was said on another connection', async () => {
    const recorded: Buffer[] = [];
    const port = await listen((client) => {
      const other = connect(server.port, host);
      client.on('data', (chunk: Buffer) => {
        recorded.push(chunk);
        other.write(chunk);
      });
      other.on('data', (chunk) => client.write(chunk));
      other.on('close', () => client.destroy()).on('error', () => undefined);
      open.push({ close: () => other.destroy() });
    });
    const connection = await login(port);
    await connection.request(requestKind.bounds, Buffer.alloc(0));
    const socket = connect(server.port, host).on('error', () => undefined);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(recorded[0]!);
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      socket.write(Buffer.concat(recorded.slice(1)));
    });
    await closed;
    // The challenge, and not a byte of an answer.
    assert.ok(received > 0 && received < 200);
  });

  it('cannot be made an older version by somebody in between', async () => {
    const older = await between((hello) => {
      const changed = Buffer.from(hello);
      // The oldest version that is offered.
      changed.writeUInt16BE(0, 8 + 32 + 32);
      return changed;
    });
    await assert.rejects(login(older), notTrusted);
    const other = await between((hello) => {
      const changed = Buffer.from(hello);
      changed[8 + 32] = changed[8 + 32]! ^ 1;
      return changed;
    });
    await assert.rejects(login(other), notTrusted);
  });

  it('needs a version both sides speak', async () => {
    const later = await between((hello) => {
      const changed = Buffer.from(hello);
      changed.writeUInt16BE(9, 8 + 32 + 32);
      changed.writeUInt16BE(9, 8 + 32 + 32 + 2);
      return changed;
    });
    await assert.rejects(login(later), { code: '0A000' });
    const { hello } = makeHello(database);
    assert.equal(commonVersion(readHello(hello.bytes)), 1);
    assert.equal(commonVersion({ ...hello, versionMax: 7 }), 1);
    assert.equal(commonVersion({ ...hello, versionMin: 2, versionMax: 7 }), 0);
  });

  it('ends for hostile bytes, and for nobody else', async () => {
    const connection = await login(server.port);
    for (const bytes of [
      Buffer.alloc(4, 0xff),
      framed(Buffer.alloc(0)),
      framed(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
      Buffer.concat([framed(makeHello(database).hello.bytes), framed(Buffer.alloc(9))]),
    ]) {
      const socket = connect(server.port, host).on('error', () => undefined);
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.resume().write(bytes);
      await closed;
    }
    await assert.rejects(connection.request(99 as never, Buffer.alloc(0)), { code: '08P01' });
    const answer = await connection.request(requestKind.bounds, Buffer.alloc(0));
    assert.ok(answer.length > 0);
    await assert.rejects(connection.request(requestKind.read, Buffer.alloc(3)), { code: '08P01' });
    assert.equal(connection.isOpen, true);
  });

  it('answers any number of requests at once', async () => {
    const connection = await login(server.port);
    const answers = await Promise.all(
      Array.from({ length: 500 }, () => connection.request(requestKind.bounds, Buffer.alloc(0))),
    );
    assert.equal(new Set(answers.map((answer) => answer.toString('hex'))).size, 1);
  });

  it('says who does not answer', async () => {
    const closed = await listen((socket) => socket.destroy());
    await assert.rejects(login(closed), {
      code: '08006',
      message: 'node that has the change log does not answer',
      hint: /--internal/,
      retryable: true,
    });
    const gone = await serve(0);
    const { port } = gone;
    await gone.close();
    await assert.rejects(login(port), { code: '08006', detail: /ECONNREFUSED/ });
  });

  it('waits neither for a server nor for a client for ever', async () => {
    const mute = await listen((socket) => socket.resume());
    const opening = LogConnection.open({ host, port: mute }, { database, secret }, 20);
    await assert.rejects(opening, { code: '08006', detail: /no answer in time/ });
    const impatient = await serve(0, { deadlineMs: 20 });
    const socket = connect(impatient.port, host);
    await new Promise<void>((resolve) => socket.resume().once('close', () => resolve()));
  });

  it('takes so many nodes at a time', async () => {
    const small = await serve(0, { connectionsMax: 1 });
    const connection = await login(small.port);
    await assert.rejects(login(small.port), { code: '08006' });
    assert.equal(connection.isOpen, true);
  });

  it('is waited on once for all who wait behind the same position', async () => {
    const begun: bigint[] = [];
    const cancelled: bigint[] = [];
    const waits = new SharedWaits(2, ({ lsn }) => {
      begun.push(lsn);
      return { over: new Promise(() => undefined), cancel: () => cancelled.push(lsn) };
    });
    const stops = [1n, 1n, 2n].map((lsn) => {
      const stop = new AbortController();
      return { stop, over: waits.wait({ epoch: 1, lsn, seq: 0 }, stop.signal) };
    });
    assert.deepEqual(begun, [1n, 2n]);
    assert.equal(waits.hasRoomFor({ epoch: 1, lsn: 2n, seq: 0 }), true);
    assert.equal(waits.hasRoomFor({ epoch: 1, lsn: 3n, seq: 0 }), false);
    stops[0]!.stop.abort();
    await stops[0]!.over;
    assert.deepEqual(cancelled, []);
    for (const { stop } of stops) stop.abort();
    await Promise.all(stops.map(({ over }) => over));
    assert.deepEqual(cancelled, [1n, 2n]);
    assert.equal(waits.hasRoomFor({ epoch: 1, lsn: 3n, seq: 0 }), true);
  });

  it('is followed to another node, where ids of tables mean something else', async () => {
    const second = await serve(0);
    let place = { node: 'a', port: server.port };
    const reader = new RemoteLogReader({
      database,
      locate: async () => ({
        node: place.node,
        address: { host, port: place.port },
        secret: async () => secret,
      }),
    });
    open.push(reader);
    const [known] = await reader.tables();
    assert.equal(await reader.count(new Set([known!.id])), 1);
    const stop = new AbortController();
    const waiting = reader.changed({ epoch: 1, lsn: log.endLsn, seq: 0 }, stop.signal);
    place = { node: 'b', port: second.port };
    await assert.rejects(reader.count(new Set([known!.id])), {
      code: '08006',
      message: 'change log is read from another node now',
      retryable: true,
    });
    const [there] = await reader.tables();
    assert.notEqual(there!.id, known!.id);
    assert.equal(await reader.count(new Set([there!.id])), 1);
    await log.commit([{ table: 'orders', insert: ['2', 'y'] }]);
    await waiting;
    const requests = Array.from({ length: 5 }, () => reader.bounds());
    await second.close();
    // In flight, or asked when nobody is there any more.
    for (const outcome of await Promise.allSettled([...requests, reader.bounds()])) {
      if (outcome.status === 'rejected') assert.equal(outcome.reason.code, '08006');
    }
    await assert.rejects(reader.bounds(), { code: '08006' });
  });
});
