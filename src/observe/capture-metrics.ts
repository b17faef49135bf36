import { Counter, Gauge, type Registry } from 'prom-client';
import type { CaptureMetrics } from '../contracts/capture-metrics.ts';

/** Counts what capture reports, under names that begin with `heliosdb_capture_`. */
export function openCaptureMetrics(registry: Registry): CaptureMetrics {
  const registers = [registry];
  const labelNames = ['database'];
  const changes = new Gauge({
    name: 'heliosdb_capture_log_changes',
    help: 'Changes in the change log.',
    labelNames,
    registers,
  });
  const failures = new Counter({
    name: 'heliosdb_capture_failures_total',
    help: 'Times that capture stopped and was tried again, by SQLSTATE.',
    labelNames: ['database', 'code'],
    registers,
  });
  return {
    flushed: (database, count) => changes.set({ database }, count),
    failed: (database, code) => failures.inc({ database, code }),
  };
}
