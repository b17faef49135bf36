import type { CollectedMetrics } from './process-metrics.ts';

/** As prom-client gives a metric; of these fields alone anything is assumed. */
type Metric = { readonly type: string; readonly name: string; readonly values: readonly Value[] };
type Value = {
  readonly value: number;
  readonly labels: object;
  /** Of a histogram: which of its series. */
  readonly metricName?: string;
};

/**
 * What is left of two scrapes when their processes have ended: the sums of what only grows. Gauges
 * tell of a moment and end with their process.
 */
export function keepCounters(first: CollectedMetrics, second: CollectedMetrics): CollectedMetrics {
  const kept = new Map<string, Metric>();
  for (const metric of [...first, ...second] as readonly Metric[]) {
    if (metric.type !== 'counter' && metric.type !== 'histogram') continue;
    const before = kept.get(metric.name);
    const values = before === undefined ? metric.values : sum(before.values, metric.values);
    kept.set(metric.name, { ...metric, values });
  }
  return [...kept.values()];
}

function sum(first: readonly Value[], second: readonly Value[]): Value[] {
  const sums = new Map<string, Value>();
  for (const value of [...first, ...second]) {
    const labels = Object.entries(value.labels).sort(([a], [b]) => (a < b ? -1 : 1));
    const series = JSON.stringify([value.metricName, labels]);
    sums.set(series, { ...value, value: value.value + (sums.get(series)?.value ?? 0) });
  }
  return [...sums.values()];
}
