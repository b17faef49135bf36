import { AggregatorRegistry, Gauge, Registry } from 'prom-client';
import type { CollectedMetrics } from './process-metrics.ts';

/** One process of a node, as `heliosdb_up` shows it. */
export type ProcessState = { readonly role: string; readonly isUp: boolean };

export const metricsContentType: string = Registry.PROMETHEUS_CONTENT_TYPE;

/** The text of a scrape of a whole node: what its processes collected, summed where that fits. */
export async function printNodeMetrics(
  states: readonly ProcessState[],
  collected: readonly CollectedMetrics[],
): Promise<string> {
  const own = new Registry();
  const up = new Gauge({
    name: 'heliosdb_up',
    help: 'Whether a part of the node is up.',
    labelNames: ['role'],
    registers: [own],
  });
  for (const { role, isUp } of states) up.set({ role }, isUp ? 1 : 0);
  const all = [...collected, await own.getMetricsAsJSON()];
  return AggregatorRegistry.aggregate(all as object[][]).metrics();
}
