import assert from 'node:assert/strict';
import { printNodeMetrics } from '../../observe/node-metrics.ts';
import {
  type CollectedMetrics,
  collect,
  openProcessRegistry,
} from '../../observe/process-metrics.ts';
import { openProxyMetrics } from '../../observe/proxy-metrics.ts';
import { collectMax } from '../limits.ts';
import { Tally } from './tally.ts';

describe('what the processes of a role have counted', function () {
  this.timeout(2 * collectMax + 5_000);

  it('is kept when a process ends, without what was so at the moment only', async () => {
    const tally = new Tally();
    for (const connections of [3, 4]) {
      const collected = await tally.collect((id) => {
        void counted(connections).then((metrics) => tally.answered(id, metrics));
      });
      const shown = await printNodeMetrics([], collected);
      assert.ok(shown.includes(`heliosdb_connections_open{role="proxy"} ${connections}\n`), shown);
      if (connections === 3) tally.processEnded();
    }
    await hasCounted(tally, 'heliosdb_connections_total{role="proxy"} 7');
    await hasCounted(tally, 'heliosdb_bytes_total{direction="client-to-server",role="proxy"} 14');
    await hasCounted(tally, 'heliosdb_claimed_statement_seconds_count{role="proxy"} 2');
    tally.processEnded();
    await hasCounted(tally, 'heliosdb_connections_total{role="proxy"} 7');
    assert.ok(!(await text(tally)).includes('heliosdb_connections_open{role="proxy"}'));
  });

  it('is what it had counted while a process is silent, and nothing of the moment', async () => {
    const tally = new Tally();
    const metrics = await counted(3);
    await tally.collect((id) => tally.answered(id, metrics));
    const silent = await printNodeMetrics([], await tally.collect(() => undefined));
    assert.ok(silent.includes('heliosdb_connections_total{role="proxy"} 3\n'), silent);
    assert.ok(!silent.includes('heliosdb_connections_open{role="proxy"}'), silent);
  });

  it('is not waited for when the process ends', async () => {
    const tally = new Tally();
    const startedAt = performance.now();
    const collected = await tally.collect(() => tally.processEnded());
    assert.deepEqual(collected, [[]]);
    assert.ok(performance.now() - startedAt < collectMax);
  });
});

/** As it comes from a process in which that many clients have connected. */
async function counted(connections: number): Promise<CollectedMetrics> {
  const registry = openProcessRegistry('proxy');
  const metrics = openProxyMetrics(registry);
  for (let count = 0; count < connections; count += 1) metrics.connectionOpened();
  metrics.transferred('client-to-server', 2 * connections, 1);
  metrics.statementClaimed(0.001);
  return JSON.parse(JSON.stringify(await collect(registry))) as CollectedMetrics;
}

async function hasCounted(tally: Tally, line: string): Promise<void> {
  const printed = await text(tally);
  assert.ok(printed.includes(`${line}\n`), `${line} is not in\n${printed}`);
}

function text(tally: Tally): Promise<string> {
  return printNodeMetrics([], tally.counted);
}
