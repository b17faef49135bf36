import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What a scrape of one process yields; plain data that can travel between processes. */
export type CollectedMetrics = readonly object[];

const nanosecondsPerSecond = 1e9;

/** The registry of one process, with what every process measures of itself. */
export function openProcessRegistry(role: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  collectDefaultMetrics({ register: registry, prefix: 'heliosdb_' });
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  new Gauge({
    name: 'heliosdb_event_loop_lag_seconds',
    help: 'Delay of the event loop since the last scrape.',
    labelNames: ['quantile'],
    registers: [registry],
    // Of several processes the slowest is the one to know about.
    aggregator: 'max',
    collect() {
      for (const quantile of [50, 99, 100]) {
        const lag = delay.percentile(quantile) / nanosecondsPerSecond;
        this.set({ quantile: String(quantile / 100) }, lag);
      }
      delay.reset();
    },
  });
  return registry;
}

export async function collect(registry: Registry): Promise<CollectedMetrics> {
  return registry.getMetricsAsJSON();
}
