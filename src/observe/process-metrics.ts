import { collectDefaultMetrics, Registry } from 'prom-client';
import { measureEventLoopLag } from './event-loop-lag.ts';

/** What a scrape of one process yields; plain data that can travel between processes. */
export type CollectedMetrics = readonly object[];

const prefix = 'heliosdb_';

/** The registry of one process, with what every process measures of itself. */
export function openProcessRegistry(role: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  // Its own lag of the event loop contains the time between two looks, and each scrape takes it
  // from the next: it is left out, and made to look seldom.
  collectDefaultMetrics({ register: registry, prefix, eventLoopMonitoringPrecision: 60_000 });
  for (const { name } of registry.getMetricsAsArray()) {
    if (name.startsWith(`${prefix}nodejs_eventloop_lag`)) registry.removeSingleMetric(name);
  }
  measureEventLoopLag(registry);
  return registry;
}

export async function collect(registry: Registry): Promise<CollectedMetrics> {
  return registry.getMetricsAsJSON();
}
