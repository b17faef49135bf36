import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ProxyMetrics } from '../contracts/proxy-metrics.ts';

/** From 50 microseconds, a cached text, to the deadline of the parser worker. */
const claimedSecondsBuckets = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 2.5,
];

/** Counts what the proxy reports, under names that begin with `heliosdb_`. */
export function openProxyMetrics(registry: Registry): ProxyMetrics {
  const registers = [registry];
  const open = new Gauge({
    name: 'heliosdb_connections_open',
    help: 'Client connections that are open.',
    registers,
  });
  const opened = new Counter({
    name: 'heliosdb_connections_total',
    help: 'Client connections that were opened.',
    registers,
  });
  const closed = new Counter({
    name: 'heliosdb_connections_closed_total',
    help: 'Client connections that ended, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const bytes = new Counter({
    name: 'heliosdb_bytes_total',
    help: 'Bytes that passed, by direction.',
    labelNames: ['direction'],
    registers,
  });
  const messages = new Counter({
    name: 'heliosdb_messages_total',
    help: 'Protocol messages that passed, by direction.',
    labelNames: ['direction'],
    registers,
  });
  const lowered = new Counter({
    name: 'heliosdb_statements_lowered_total',
    help: 'Statements in texts that were lowered, however often they were executed.',
    registers,
  });
  const refused = new Counter({
    name: 'heliosdb_statements_refused_total',
    help: 'Statements of the extended grammar that were refused, by SQLSTATE.',
    labelNames: ['code'],
    registers,
  });
  const claimed = new Histogram({
    name: 'heliosdb_claimed_statement_seconds',
    help: 'From the moment a text was claimed until it was forwarded.',
    buckets: claimedSecondsBuckets,
    registers,
  });
  const workersLost = new Counter({
    name: 'heliosdb_parser_workers_lost_total',
    help: 'Parser workers that were killed at their deadline or died.',
    registers,
  });
  // Looked up once: `transferred` is called for every chunk of bytes.
  const transferred = {
    'client-to-server': {
      bytes: bytes.labels('client-to-server'),
      messages: messages.labels('client-to-server'),
    },
    'server-to-client': {
      bytes: bytes.labels('server-to-client'),
      messages: messages.labels('server-to-client'),
    },
  };
  return {
    connectionOpened() {
      open.inc();
      opened.inc();
    },
    connectionClosed(reason) {
      open.dec();
      closed.inc({ reason });
    },
    transferred(direction, byteCount, messageCount) {
      const counters = transferred[direction];
      counters.bytes.inc(byteCount);
      counters.messages.inc(messageCount);
    },
    statementsLowered: (count) => lowered.inc(count),
    statementRefused: (code) => refused.inc({ code }),
    statementClaimed: (seconds) => claimed.observe(seconds),
    parserWorkerLost: () => workersLost.inc(),
  };
}
