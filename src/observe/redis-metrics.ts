import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RedisMetrics } from '../contracts/redis-metrics.ts';

/** From a quarter of a millisecond to a minute: time spent blocked counts. */
const commandSecondsBuckets = [0.00025, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/** Counts what the RESP endpoint reports, under names that begin with `heliosdb_redis_`. */
export function openRedisMetrics(registry: Registry): RedisMetrics {
  const registers = [registry];
  const open = new Gauge({
    name: 'heliosdb_redis_connections_open',
    help: 'Redis clients that are connected.',
    registers,
  });
  const closed = new Counter({
    name: 'heliosdb_redis_connections_closed_total',
    help: 'Redis clients that were connected, by how that ended.',
    labelNames: ['reason'],
    registers,
  });
  const bytes = new Counter({
    name: 'heliosdb_redis_bytes_total',
    help: 'Bytes to and from Redis clients, by direction.',
    labelNames: ['direction'],
    registers,
  });
  const commands = new Histogram({
    name: 'heliosdb_redis_command_seconds',
    help: 'Time from a request to its answer.',
    labelNames: ['command'],
    buckets: commandSecondsBuckets,
    registers,
  });
  const errors = new Counter({
    name: 'heliosdb_redis_errors_total',
    help: 'Requests that were answered with an error, by its first word.',
    labelNames: ['command', 'class'],
    registers,
  });
  const entries = new Counter({
    name: 'heliosdb_redis_entries_total',
    help: 'Entries of streams that were sent.',
    registers,
  });
  const blocked = new Gauge({
    name: 'heliosdb_redis_clients_blocked',
    help: 'Clients that wait in XREAD BLOCK.',
    registers,
  });
  const refused = new Counter({
    name: 'heliosdb_redis_authentication_failures_total',
    help: 'Wrong passwords.',
    registers,
  });
  return {
    connectionOpened: () => open.inc(),
    connectionClosed(reason) {
      open.dec();
      closed.inc({ reason });
    },
    transferred: (direction, count) => bytes.inc({ direction }, count),
    commandAnswered(command, errorClass, seconds) {
      commands.observe({ command }, seconds);
      if (errorClass !== undefined) errors.inc({ command, class: errorClass });
    },
    entriesSent: (count) => entries.inc(count),
    clientBlocked: () => blocked.inc(),
    clientUnblocked: () => blocked.dec(),
    authenticationFailed: () => refused.inc(),
  };
}
