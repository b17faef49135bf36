import assert from 'node:assert/strict';
import { EventLoopLag } from './event-loop-lag.ts';
import { collect, openProcessRegistry } from './process-metrics.ts';

const samplingNanoseconds = 20e6;

/** A monitor that has measured what it is told. */
class TestMonitor {
  #worst = 0;

  enable(): void {
    this.#worst = 0;
  }

  measured(lagMs: number): void {
    this.#worst = Math.max(this.#worst, samplingNanoseconds + lagMs * 1e6);
  }

  percentile(): number {
    return this.#worst;
  }

  reset(): void {
    this.#worst = 0;
  }
}

describe('the lag of the event loop', () => {
  it('is without the time between two looks at it', () => {
    const { lag, late } = testLag();
    assert.equal(lag.percentile(50), 0, 'nothing was measured yet');
    late(0);
    assert.equal(lag.percentile(50), 0);
    late(5);
    assert.ok(Math.abs(lag.percentile(50) - 0.005) < 1e-9);
  });

  it('is shown for one to two halves of the window, however often it is asked for', () => {
    const { lag, late } = testLag();
    late(500);
    for (const expected of [true, true, false]) {
      assert.equal(lag.percentile(100) > 0.4, expected);
      assert.equal(lag.percentile(100) > 0.4, expected, 'a second scrape sees the same');
      lag.turn();
    }
  });

  it('is measured in a real process, and no scrape takes it from the next', async () => {
    const registry = openProcessRegistry('proxy');
    const isLate = async (): Promise<boolean> => {
      const metrics = (await collect(registry)) as { name: string; values: { value: number }[] }[];
      const lag = metrics.find(({ name }) => name === 'heliosdb_event_loop_lag_seconds');
      return (lag?.values.at(-1)?.value ?? 0) >= 0.15;
    };
    while (!(await isLate())) {
      const end = performance.now() + 300;
      while (performance.now() < end);
      // The monitor looks when timers are due, of which it is one.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.ok(await isLate());
  });
});

function testLag(): { lag: EventLoopLag; late: (lagMs: number) => void } {
  const monitors: TestMonitor[] = [];
  const lag = new EventLoopLag(() => {
    const monitor = new TestMonitor();
    monitors.push(monitor);
    return monitor;
  });
  return {
    lag,
    late(lagMs) {
      for (const monitor of monitors) monitor.measured(lagMs);
    },
  };
}
