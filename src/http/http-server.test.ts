import assert from 'node:assert/strict';
import { type HttpServer, startHttpServer, startMetricsServer } from './http-server.ts';
import type { CaptureState, NodeView, PartState, UpstreamState } from './node-view.ts';

const anyPort = { host: '127.0.0.1', port: 0 };

describe('the HTTP endpoints', () => {
  let parts: PartState[] = [];
  let captures: CaptureState[] = [];
  let upstream: UpstreamState = { isServing: true };
  const node: NodeView = {
    parts: () => parts,
    captures: () => captures,
    upstream: () => Promise.resolve(upstream),
    metrics: () => Promise.resolve('heliosdb_up 1\n'),
  };
  let server: HttpServer;

  before(async () => {
    server = await startHttpServer(anyPort, node);
  });

  after(() => server.close());

  beforeEach(() => {
    parts = [{ name: 'proxy', state: 'up', restarts: 0, pids: [1], silentPids: [] }];
    upstream = { isServing: true };
    captures = [];
  });

  it('tell the state of each part', async () => {
    const { status, body } = await get('/health');
    assert.equal(status, 200);
    assert.deepEqual(body, { status: 'ok', parts, captures: [] });
  });

  it('tell that capture does not go on, which keeps no client from being served', async () => {
    const error = { code: '55000', message: 'changes are missing', hint: 'mend it' };
    captures = [{ database: 'shop', state: 'stopped', error }];
    assert.deepEqual((await get('/health')).body, { status: 'degraded', parts, captures });
    assert.equal((await get('/ready')).status, 200);
  });

  it('tell of a part that should serve and does not, or not with all its processes', async () => {
    const [up] = parts as [PartState];
    for (const impaired of [
      { ...up, state: 'silent', silentPids: [1] },
      { ...up, state: 'restarting' },
      { ...up, silentPids: [2] },
    ] as const) {
      parts = [impaired];
      assert.deepEqual((await get('/health')).body, { status: 'degraded', parts, captures });
    }
  });

  it('are not ready where a node is there for capture alone, and that does not go on', async () => {
    parts = [{ name: 'engine', state: 'up', restarts: 0, pids: [1], silentPids: [] }];
    captures = [{ database: 'shop', state: 'streaming', error: undefined }];
    assert.equal((await get('/ready')).status, 200);
    const error = { code: '53100', message: 'no space is left', hint: undefined };
    captures = [{ database: 'shop', state: 'failing', error }];
    assert.deepEqual(await get('/ready'), {
      status: 503,
      body: { ready: false, missing: ['capture of shop: failing: no space is left'] },
    });
  });

  it('tell that the node is ready', async () => {
    assert.deepEqual(await get('/ready'), { status: 200, body: { ready: true, missing: [] } });
  });

  it('tell all that is missing', async () => {
    parts = [{ name: 'proxy', state: 'draining', restarts: 0, pids: [1], silentPids: [] }];
    upstream = { isServing: false, reason: 'no answer' };
    assert.deepEqual(await get('/ready'), {
      status: 503,
      body: { ready: false, missing: ['proxy: draining', 'upstream: no answer'] },
    });
  });

  it('are not ready where no proxy runs', async () => {
    parts = [];
    assert.equal((await get('/ready')).status, 503);
  });

  it('answer 404 elsewhere, also for metrics, which have an address of their own', async () => {
    assert.equal((await get('/metrics')).status, 404);
    const metrics = await startMetricsServer(anyPort, node);
    const response = await fetch(`http://127.0.0.1:${metrics.address.port}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.equal(await response.text(), 'heliosdb_up 1\n');
    await metrics.close();
  });

  it('reject with the error of listening', async () => {
    await assert.rejects(startHttpServer(server.address, node), { code: 'EADDRINUSE' });
  });

  async function get(path: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`http://127.0.0.1:${server.address.port}${path}`);
    return { status: response.status, body: await response.json() };
  }
});
