import { Counter, Gauge, type Registry } from 'prom-client';
import type {
  CaptureMeasure,
  CaptureMetrics,
  CaptureReport,
} from '../contracts/capture-metrics.ts';

const states: readonly CaptureReport['state'][] = [
  'connecting',
  'off',
  'standby',
  'starting',
  'streaming',
  'stopped',
  'failing',
];

/** In which this node does not capture: what it measured before is so no longer. */
const unmeasured: readonly CaptureReport['state'][] = ['connecting', 'off', 'standby'];

const nothing: CaptureMeasure = {
  epoch: undefined,
  logBytes: undefined,
  logChanges: undefined,
  lagBytes: undefined,
  retainedBytes: undefined,
  readers: undefined,
};

/** Name and help of what is measured. */
const gauges: Readonly<Record<keyof CaptureMeasure, readonly [string, string]>> = {
  epoch: ['epoch', 'Epoch that is captured: grows at each gap.'],
  logBytes: ['log_bytes', 'Bytes of changes in the change log.'],
  logChanges: ['log_changes', 'Changes in the change log.'],
  lagBytes: ['lag_bytes', 'WAL that is written and not in the change log yet.'],
  retainedBytes: ['retained_wal_bytes', 'WAL that the replication slot makes the server keep.'],
  readers: ['readers', 'Readers of the change log that have a cursor.'],
};

/** Counts what capture reports, under names that begin with `heliosdb_capture_`. */
export function openCaptureMetrics(registry: Registry): CaptureMetrics {
  const registers = [registry];
  const changes = new Counter({
    name: 'heliosdb_capture_changes_total',
    help: 'Changes that were appended to the change log.',
    labelNames: ['database'],
    registers,
  });
  const failures = new Counter({
    name: 'heliosdb_capture_failures_total',
    help: 'Times that capture stopped with an error, by SQLSTATE; trying again does not count.',
    labelNames: ['database', 'code'],
    registers,
  });
  const state = new Gauge({
    name: 'heliosdb_capture_state',
    help: '1 for the state the capture is in, as this node sees it.',
    labelNames: ['database', 'state'],
    registers,
  });
  const measures = Object.entries(gauges).map(([field, [name, help]]) => ({
    field: field as keyof CaptureMeasure,
    gauge: new Gauge({
      name: `heliosdb_capture_${name}`,
      help,
      labelNames: ['database'],
      registers,
    }),
  }));
  const measured: CaptureMetrics['measured'] = (database, measure = nothing) => {
    for (const { field, gauge } of measures) {
      const value = measure[field];
      if (value === undefined) gauge.remove({ database });
      else gauge.set({ database }, value);
    }
  };
  return {
    appended: (database, count) => changes.inc({ database }, count),
    measured,
    reported({ database, state: now }) {
      for (const each of states) state.set({ database, state: each }, each === now ? 1 : 0);
      if (unmeasured.includes(now)) measured(database, undefined);
    },
    failed: (database, code) => failures.inc({ database, code }),
  };
}
