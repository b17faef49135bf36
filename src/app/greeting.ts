import { type Address, isEveryInterface, printAddress } from './config/address.ts';
import type { Configuration } from './config/configuration.ts';
import type { Upstream } from './config/upstream.ts';
import { type NodeAddresses, printReadyLine } from './ready-line.ts';

/** What a node tells of itself; the upstream is the embedded Postgres where none was named. */
export type Greeted = Pick<Configuration, 'capture' | 'databases' | 'redisAuth'> & {
  readonly upstream: Upstream;
};

/** What one prints when all is up: the line others wait for, and commands to copy. */
export function printGreeting(addresses: NodeAddresses, node: Greeted): string {
  const { listen, http, metrics } = addresses;
  const lines: string[] = [];
  if (listen) {
    lines.push(
      'Try a window in any SELECT:',
      `  ${psql(listen, node.upstream.user, node.upstream.database)} -c "`,
      "    SELECT TUMBLE(t, INTERVAL '15 minutes') AS start, count(*)",
      "      FROM generate_series(now(), now() + INTERVAL '1 hour', INTERVAL '1 minute') AS t",
      '     GROUP BY start ORDER BY start"',
    );
  }
  lines.push(...changeLines(addresses, node));
  if (http) lines.push(`  curl http://${printAddress(reachable(http))}/ready`);
  if (metrics) lines.push(`  curl http://${printAddress(reachable(metrics))}/metrics`);
  return [printReadyLine(addresses), ...(lines.length > 0 ? ['', ...lines] : [])].join('\n');
}

/** A node that captures nothing does not know whether another one does. */
function changeLines(
  { listen, redis }: NodeAddresses,
  { capture, databases, redisAuth, upstream }: Greeted,
): readonly string[] {
  if (capture === 'off' || !(listen || redis)) return [];
  const lines = [
    capture === 'on'
      ? 'Change something, and read the change:'
      : 'Changes are captured from the first SHOW CDC EVENTS on: ask, change something, ask again:',
  ];
  if (listen) {
    const database = databases[0] ?? upstream.database;
    lines.push(`  ${psql(listen, upstream.user, database)} -c "SHOW CDC EVENTS LIMIT 10"`);
  }
  if (redis) {
    const { host, port } = reachable(redis);
    const login = redisAuth ? ` --user ${quoted(upstream.user)} --askpass` : '';
    lines.push(`  redis-cli -h ${host} -p ${port}${login} XREAD COUNT 10 STREAMS heliosdb:cdc 0`);
  }
  return lines;
}

function psql(listen: Address, user: string, database: string): string {
  const { host, port } = reachable(listen);
  return `psql -h ${host} -p ${port} -U ${quoted(user)} ${quoted(database)}`;
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w.@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** An address that means every interface is not one to connect to. */
function reachable({ host, port }: Address): Address {
  return { host: isEveryInterface(host) ? '127.0.0.1' : host, port };
}
