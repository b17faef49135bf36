import { openLogger } from '../../observe/logger.ts';
import { type Address, isEveryInterface, printAddress } from '../config/address.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Upstream } from '../config/upstream.ts';
import { type NodeAddresses, printReadyLine } from '../ready-line.ts';
import { Supervisor } from '../supervisor/supervisor.ts';

/**
 * Runs a node until it is told to stop by SIGTERM, SIGINT or SIGHUP. Rejects with the PgError that
 * ended it otherwise.
 */
export function start(configuration: Configuration, version: string): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const logger = openLogger({ level: configuration.logLevel, fields: { role: 'supervisor' } });
  return new Promise((resolve, reject) => {
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopping ??= supervisor.stop();
      return stopping;
    };
    const fail = (error: unknown): void => {
      void stop().finally(() => reject(error));
    };
    const supervisor = new Supervisor({ configuration, version, logger, say, onFatal: fail });
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping !== undefined && signal === 'SIGINT') supervisor.kill();
      logger.info('stopping', { signal });
      stop().then(resolve, reject);
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
    // Who starts a node with a channel to it, and closes that, has ended or let go of it.
    process.on('disconnect', () => stop().then(resolve, reject));
    supervisor.start().then((addresses) => {
      if (stopping === undefined) say(printBanner(addresses, supervisor.upstream()));
    }, fail);
  });
}

/** What one prints when all is up: the line others wait for, and commands to copy. */
export function printBanner(addresses: NodeAddresses, upstream: Upstream): string {
  const lines = [printReadyLine(addresses)];
  if (addresses.listen) {
    const { host, port } = reachable(addresses.listen);
    lines.push(
      '',
      'Try a window in any SELECT:',
      `  psql -h ${host} -p ${port} -U ${upstream.user} ${upstream.database} -c "`,
      "    SELECT TUMBLE(t, INTERVAL '15 minutes') AS start, count(*)",
      "      FROM generate_series(now(), now() + INTERVAL '1 hour', INTERVAL '1 minute') AS t",
      '     GROUP BY start ORDER BY start"',
    );
  }
  if (addresses.redis) {
    const { host, port } = reachable(addresses.redis);
    lines.push(
      'Change something, and read the change:',
      `  psql -h ${reachable(addresses.listen ?? addresses.redis).host} ... -c "SHOW CDC EVENTS LIMIT 10"`,
      `  redis-cli -h ${host} -p ${port} XREAD COUNT 10 STREAMS heliosdb:cdc 0`,
    );
  }
  if (addresses.http) lines.push(`  curl http://${printAddress(reachable(addresses.http))}/ready`);
  if (addresses.metrics) {
    lines.push(`  curl http://${printAddress(reachable(addresses.metrics))}/metrics`);
  }
  return lines.join('\n');
}

/** An address that means every interface is not one to connect to. */
function reachable({ host, port }: Address): Address {
  return { host: isEveryInterface(host) ? '127.0.0.1' : host, port };
}
