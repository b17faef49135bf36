import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** Time between two looks at the event loop, which the monitor counts as delay, ms. */
const samplingMs = 20;
/** Age from which a measurement gives way to the one that was begun after it, ms. */
const halfWindowMs = 30_000;
const percentiles = [50, 99, 100];
const nanosecondsPerSecond = 1e9;

/** The part of perf_hooks' monitor that is used. */
type Monitor = {
  enable(): void;
  percentile(percentile: number): number;
  reset(): void;
};

/**
 * How late the event loop was in the last 30 to 60 seconds. Two measurements overlap, so that a
 * scrape has no effect on what the next one, or one of somebody else, shows.
 */
export class EventLoopLag {
  #older: Monitor;
  #newer: Monitor;

  constructor(open: () => Monitor = () => monitorEventLoopDelay({ resolution: samplingMs })) {
    this.#older = open();
    this.#newer = open();
    this.#older.enable();
    this.#newer.enable();
  }

  /** Seconds; 0 while nothing was measured. */
  percentile(percentile: number): number {
    const seconds = this.#older.percentile(percentile) / nanosecondsPerSecond;
    return Math.max(0, seconds - samplingMs / 1_000);
  }

  /** The older measurement begins anew, the other one is shown. */
  turn(): void {
    this.#older.reset();
    [this.#older, this.#newer] = [this.#newer, this.#older];
  }
}

/** Adds the gauge of this process. */
export function measureEventLoopLag(registry: Registry): void {
  const lag = new EventLoopLag();
  setInterval(() => lag.turn(), halfWindowMs).unref();
  new Gauge({
    name: 'heliosdb_event_loop_lag_seconds',
    help: 'How late the event loop was, over the last 30 to 60 seconds.',
    labelNames: ['quantile'],
    registers: [registry],
    // Of several processes the slowest is the one to know about.
    aggregator: 'max',
    collect() {
      for (const percentile of percentiles) {
        this.set({ quantile: String(percentile / 100) }, lag.percentile(percentile));
      }
    },
  });
}
