import { arch, platform } from 'node:os';
import { clusterSupportDisabled } from '../../core/errors/redis.ts';
import { map, ok, type Reply } from '../resp/reply.ts';
import { redisVersion, serverName } from '../version.ts';
import { type Call, type Command, runSubcommand, type Subcommand, textOf } from './command.ts';

const shared = { flags: ['loading', 'stale'], keys: [0, 0, 0], group: 'server' } as const;

export const serverCommands: readonly Command[] = [
  {
    ...shared,
    name: 'info',
    arity: -1,
    since: '1.0.0',
    summary: 'Returns information about the server.',
    run: describeServer,
  },
  {
    ...shared,
    name: 'config',
    arity: -2,
    since: '2.0.0',
    summary: 'A container for server configuration commands; there is nothing to configure here.',
    run: (call) => runSubcommand('config', configSubcommands, call),
  },
  {
    ...shared,
    name: 'cluster',
    arity: -2,
    since: '3.0.0',
    summary: 'A container for cluster commands; this is no cluster.',
    run: () => {
      throw clusterSupportDisabled();
    },
  },
];

const configSubcommands: Readonly<Record<string, Subcommand>> = {
  get: { arity: -3, run: () => map({}) },
  resetstat: { arity: 2, run: () => ok },
};

type Section = readonly (readonly [string, string | number])[];

/** In the order and with the names of Redis; what clients look at when they connect. */
const sections: Readonly<Record<string, (call: Call) => Section>> = {
  server: ({ endpoint }) => [
    ['redis_version', redisVersion],
    ['server_name', serverName],
    ['redis_mode', 'standalone'],
    ['os', `${platform()} ${arch()}`],
    ['arch_bits', 64],
    ['process_id', process.pid],
    ['tcp_port', endpoint.port()],
    ['uptime_in_seconds', Math.floor((Date.now() - endpoint.startedAtMs) / 1_000)],
  ],
  clients: ({ endpoint }) => [
    ['connected_clients', endpoint.clientsOpen()],
    ['blocked_clients', endpoint.clientsBlocked()],
  ],
  // A log that is not open yet is told by each command: a client that waited for 0 here would keep
  // its commands for itself and nobody would see why.
  persistence: () => [['loading', 0]],
  replication: () => [
    ['role', 'master'],
    ['connected_slaves', 0],
  ],
  cluster: () => [['cluster_enabled', 0]],
};

function describeServer(call: Call): Reply {
  const wanted = call.args.map((argument) => textOf(argument).toLowerCase());
  const isAll =
    wanted.length === 0 || wanted.some((name) => /^(?:all|default|everything)$/.test(name));
  const parts: string[] = [];
  for (const [name, section] of Object.entries(sections)) {
    if (!isAll && !wanted.includes(name)) continue;
    const lines = section(call).map(([field, value]) => `${field}:${value}\r\n`);
    parts.push(`# ${name.charAt(0).toUpperCase()}${name.slice(1)}\r\n${lines.join('')}`);
  }
  return { kind: 'verbatim', content: parts.join('\r\n') };
}
