/** The process of role `http`: health, readiness and metrics. */
import { cannotListen } from '../../core/errors/configuration.ts';
import { type HttpServer, startHttpServer, startMetricsServer } from '../../http/http-server.ts';
import type { CaptureState, NodeView, PartState, UpstreamState } from '../../http/node-view.ts';
import { printNodeMetrics } from '../../observe/node-metrics.ts';
import {
  type CollectedMetrics,
  collect,
  openProcessRegistry,
} from '../../observe/process-metrics.ts';
import { isServing, probeUpstream } from '../../postgres/probe-upstream.ts';
import { adviseOn, adviseOnEmbedded } from '../check/upstream-advice.ts';
import { type Address, printAddress } from '../config/address.ts';
import type { Upstream } from '../config/upstream.ts';
import { collectMax, upstreamAnswerAgeMax } from '../limits.ts';
import type { ToRole } from '../supervisor/messages.ts';
import { type RunningRole, serveRole, tell } from './serve-role.ts';

export type HttpRoleConfiguration = {
  readonly http: Address;
  readonly metrics: Address;
  readonly upstream: Upstream;
  /** Where the embedded Postgres writes its log; absent when the upstream is another. */
  readonly embeddedLogFile: string | undefined;
};

serveRole<HttpRoleConfiguration>(async (configuration) => {
  const registry = openProcessRegistry('http');
  const node = new SupervisedNode(configuration);
  const servers = await Promise.all([
    listening(startHttpServer(configuration.http, node), '--http', configuration.http),
    listening(startMetricsServer(configuration.metrics, node), '--metrics', configuration.metrics),
  ]);
  const role: RunningRole = {
    addresses: { http: servers[0].address, metrics: servers[1].address },
    collect: () => collect(registry),
    async drain() {
      await Promise.all(servers.map((server) => server.close()));
    },
    receive: (message) => node.receive(message),
  };
  return role;
});

async function listening(
  starting: Promise<HttpServer>,
  flag: string,
  address: Address,
): Promise<HttpServer> {
  try {
    return await starting;
  } catch (error) {
    throw cannotListen(flag, printAddress(address), error);
  }
}

/** The node as its supervisor tells it. */
class SupervisedNode implements NodeView {
  readonly #configuration: HttpRoleConfiguration;
  #parts: readonly PartState[] = [];
  #captures: readonly CaptureState[] = [];
  #scrapes = 0;
  readonly #collecting = new Map<number, (collected: readonly CollectedMetrics[]) => void>();
  #answer: { readonly at: number; readonly state: Promise<UpstreamState> } | undefined;

  constructor(configuration: HttpRoleConfiguration) {
    this.#configuration = configuration;
  }

  receive(message: ToRole): void {
    if (message.kind === 'parts') {
      this.#parts = message.parts;
      this.#captures = message.captures;
    }
    if (message.kind === 'node-collected') this.#collecting.get(message.id)?.(message.collected);
  }

  parts(): readonly PartState[] {
    return this.#parts;
  }

  captures(): readonly CaptureState[] {
    return this.#captures;
  }

  /** However often /ready is asked, the upstream sees one connection a second. */
  upstream(): Promise<UpstreamState> {
    const now = performance.now();
    if (this.#answer === undefined || now - this.#answer.at > upstreamAnswerAgeMax) {
      this.#answer = { at: now, state: askUpstream(this.#configuration) };
    }
    return this.#answer.state;
  }

  async metrics(): Promise<string> {
    const states = this.#parts.map(({ name, state }) => ({ role: name, isUp: state === 'up' }));
    return printNodeMetrics(states, await this.#collectNode());
  }

  #collectNode(): Promise<readonly CollectedMetrics[]> {
    this.#scrapes += 1;
    const id = this.#scrapes;
    return new Promise((resolve) => {
      const done = (collected: readonly CollectedMetrics[]): void => {
        clearTimeout(timer);
        this.#collecting.delete(id);
        resolve(collected);
      };
      // The supervisor waits for slow processes itself, so twice that is only for its own end.
      const timer = setTimeout(() => done([]), 2 * collectMax);
      this.#collecting.set(id, done);
      tell({ kind: 'collect-node', id });
    });
  }
}

async function askUpstream({
  upstream,
  embeddedLogFile,
}: HttpRoleConfiguration): Promise<UpstreamState> {
  const probe = await probeUpstream(upstream);
  if (isServing(probe)) return { isServing: true };
  const advice =
    embeddedLogFile === undefined
      ? adviseOn(upstream, probe)
      : adviseOnEmbedded(upstream, probe, embeddedLogFile);
  return { isServing: false, reason: `${advice?.found}; to mend: ${advice?.mend}` };
}
