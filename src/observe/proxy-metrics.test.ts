import assert from 'node:assert/strict';
import { printNodeMetrics } from './node-metrics.ts';
import { collect, openProcessRegistry } from './process-metrics.ts';
import { openProxyMetrics } from './proxy-metrics.ts';

describe('the metrics of a node', () => {
  it('sum what its proxies counted', async () => {
    const collected = [];
    for (const bytes of [10, 32]) {
      const registry = openProcessRegistry('proxy');
      const metrics = openProxyMetrics(registry);
      metrics.connectionOpened();
      metrics.connectionOpened();
      metrics.connectionClosed('terminated');
      metrics.transferred('client-to-server', bytes, 2);
      metrics.statementsLowered(3);
      metrics.statementRefused('22023');
      metrics.statementClaimed(0.0002);
      metrics.parserWorkerLost();
      // The way between processes is JSON.
      collected.push(JSON.parse(JSON.stringify(await collect(registry))));
    }
    const text = await printNodeMetrics(
      [
        { role: 'proxy', isUp: true },
        { role: 'http', isUp: false },
      ],
      collected,
    );
    for (const line of [
      'heliosdb_connections_open{role="proxy"} 2',
      'heliosdb_connections_total{role="proxy"} 4',
      'heliosdb_connections_closed_total{reason="terminated",role="proxy"} 2',
      'heliosdb_bytes_total{direction="client-to-server",role="proxy"} 42',
      'heliosdb_messages_total{direction="client-to-server",role="proxy"} 4',
      'heliosdb_statements_lowered_total{role="proxy"} 6',
      'heliosdb_statements_refused_total{code="22023",role="proxy"} 2',
      'heliosdb_claimed_statement_seconds_bucket{le="0.00025",role="proxy"} 2',
      'heliosdb_claimed_statement_seconds_count{role="proxy"} 2',
      'heliosdb_parser_workers_lost_total{role="proxy"} 2',
      'heliosdb_up{role="proxy"} 1',
      'heliosdb_up{role="http"} 0',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
    }
  });

  it('all have names of ours', async () => {
    const registry = openProcessRegistry('proxy');
    openProxyMetrics(registry);
    const names = (await registry.getMetricsAsJSON()).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => !name.startsWith('heliosdb_')),
      [],
    );
  });
});
