import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import type { CaptureMeasure, CaptureMetrics } from '../contracts/capture-metrics.ts';
import { openCaptureMetrics } from './capture-metrics.ts';

const measure: CaptureMeasure = {
  epoch: 1,
  logBytes: 10,
  logChanges: 2,
  lagBytes: 0,
  retainedBytes: 440,
  readers: 0,
};

describe('the metrics of capture', () => {
  let registry: Registry;
  let metrics: CaptureMetrics;

  beforeEach(() => {
    registry = new Registry();
    metrics = openCaptureMetrics(registry);
    metrics.measured('shop', measure);
  });

  it('leave out what is not there to be measured', async () => {
    assert.ok((await registry.metrics()).includes('retained_wal_bytes{database="shop"} 440\n'));
    metrics.measured('shop', { ...measure, lagBytes: 64, retainedBytes: undefined });
    const text = await registry.metrics();
    assert.ok(text.includes('heliosdb_capture_lag_bytes{database="shop"} 64\n'), text);
    assert.ok(!text.includes('heliosdb_capture_retained_wal_bytes{'), text);
  });

  for (const state of ['off', 'standby', 'connecting'] as const) {
    it(`have nothing to measure while the state is ${state}`, async () => {
      metrics.reported({ database: 'shop', state, error: undefined });
      const text = await registry.metrics();
      assert.doesNotMatch(text, /^heliosdb_capture_(?:epoch|\w+_bytes|log_changes|readers)\{/m);
    });
  }
});
