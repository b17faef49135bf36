import Fastify, { type FastifyInstance } from 'fastify';
import { metricsContentType } from '../observe/node-metrics.ts';
import type { CaptureState, NodeView, PartState } from './node-view.ts';

export type ListenAddress = { readonly host: string; readonly port: number };

export type HttpServer = {
  /** Where it listens, the port as the system gave it. */
  readonly address: ListenAddress;
  /** Answers what is under way and closes. */
  close(): Promise<void>;
};

/** `/health` and `/ready`. Rejects with the error of listening. */
export async function startHttpServer(listen: ListenAddress, node: NodeView): Promise<HttpServer> {
  const server = Fastify({ forceCloseConnections: true });
  // Health is about this node's processes being looked after, which they are if this answers.
  server.get('/health', async () => ({
    status: isDegraded(node) ? 'degraded' : 'ok',
    parts: node.parts(),
    captures: node.captures(),
  }));
  server.get('/ready', async (_request, reply) => {
    const missing = await missingFor(node);
    return reply.code(missing.length === 0 ? 200 : 503).send({
      ready: missing.length === 0,
      missing,
    });
  });
  return start(server, listen);
}

/** Prometheus `/metrics`, on an address of its own so that it can be closed to the outside. */
export async function startMetricsServer(
  listen: ListenAddress,
  node: NodeView,
): Promise<HttpServer> {
  const server = Fastify({ forceCloseConnections: true });
  server.get('/metrics', async (_request, reply) =>
    reply.type(metricsContentType).send(await node.metrics()),
  );
  return start(server, listen);
}

function isDegraded(node: NodeView): boolean {
  return node.parts().some(isImpaired) || node.captures().some(isIll);
}

/** It should serve and does not, or one of its processes does not. */
function isImpaired({ state, silentPids }: PartState): boolean {
  return state === 'silent' || state === 'restarting' || silentPids.length > 0;
}

/** Capture that does not go on by itself, or not now. */
function isIll({ state }: CaptureState): boolean {
  return state === 'stopped' || state === 'failing';
}

async function missingFor(node: NodeView): Promise<string[]> {
  const missing: string[] = [];
  const proxy = node.parts().find(({ name }) => name === 'proxy');
  // Clients are served without capture; a node that has nothing else to serve is there for it.
  const serving = proxy ?? node.parts().find(({ name }) => name === 'engine');
  if (serving === undefined) missing.push('proxy: not run by this node');
  else if (serving.state !== 'up') missing.push(`${serving.name}: ${serving.state}`);
  if (proxy === undefined) missing.push(...missingCaptures(node));
  const upstream = await node.upstream();
  if (!upstream.isServing) missing.push(`upstream: ${upstream.reason}`);
  return missing;
}

/** Of what is `unknown` the state of the engine is the reason, which is told already. */
const missesNothing: readonly CaptureState['state'][] = ['streaming', 'standby', 'off', 'unknown'];

function missingCaptures(node: NodeView): string[] {
  return node
    .captures()
    .filter(({ state }) => !missesNothing.includes(state))
    .map(({ database, state, error }) => {
      const why = error === undefined ? '' : `: ${error.message}`;
      return `capture of ${database}: ${state}${why}`;
    });
}

async function start(server: FastifyInstance, listen: ListenAddress): Promise<HttpServer> {
  await server.listen({ host: listen.host, port: listen.port });
  const { port } = server.server.address() as { port: number };
  return {
    address: { host: listen.host, port },
    close: () => server.close(),
  };
}
