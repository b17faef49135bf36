/** The process of role `redis`: captured changes as Redis Streams. */
import { cannotListen } from '../../core/errors/configuration.ts';
import { openLogger } from '../../observe/logger.ts';
import { collect, openProcessRegistry } from '../../observe/process-metrics.ts';
import { openRedisMetrics } from '../../observe/redis-metrics.ts';
import { withClient } from '../../postgres/client.ts';
import { asPgError } from '../../postgres/server-error.ts';
import { printChange } from '../../protocol/changes/row-json.ts';
import { startRedisServer } from '../../redis/redis-server.ts';
import { RoleAccess } from '../../redis/role-access.ts';
import type { AccessByDatabase } from '../../redis/services.ts';
import { NodeChangeLogs } from '../change-logs/node-change-logs.ts';
import { type Address, printAddress } from '../config/address.ts';
import type { LogLevel } from '../config/configuration.ts';
import type { Upstream } from '../config/upstream.ts';
import { serveRole } from './serve-role.ts';

export type RedisRoleConfiguration = {
  readonly listen: Address;
  readonly asksForPassword: boolean;
  readonly upstream: Upstream;
  readonly dataDirectory: string;
  /** Those that are captured. */
  readonly databases: readonly string[];
  /** The id of this node. */
  readonly node: string;
  readonly logLevel: LogLevel;
};

serveRole<RedisRoleConfiguration>(async (configuration) => {
  const { listen, asksForPassword, upstream, databases } = configuration;
  const registry = openProcessRegistry('redis');
  const logger = openLogger({ level: configuration.logLevel, fields: { role: 'redis' } });
  const logs = new NodeChangeLogs(configuration);
  const captured = databases.map((name) => ({ name, reader: logs.of(name) }));
  const rights = new Map(
    databases.map((database) => [database, new RoleAccess({ ...upstream, database })]),
  );
  const accessOf =
    (role: string): AccessByDatabase =>
    (database) =>
      rights.get(database)!.of(role);
  const server = await startRedisServer({
    listen,
    databases: () => captured,
    async authenticate(user, password) {
      await checkPassword(upstream, user, password);
      return accessOf(user);
    },
    defaultUser: upstream.user,
    openAccess: asksForPassword ? undefined : accessOf(upstream.user),
    printEntry: printChange,
    metrics: openRedisMetrics(registry),
    logger,
  }).catch((error: unknown) => {
    throw cannotListen('--redis', printAddress(listen), error);
  });
  return {
    addresses: { redis: { host: listen.host, port: server.address.port } },
    collect: () => collect(registry),
    async drain(timeoutMs) {
      await server.drain(timeoutMs);
      await logs.close();
      await Promise.all([...rights.values()].map((access) => access.close()));
    },
  };
});

/** Postgres says whether a password is right, by letting its owner in. */
async function checkPassword(upstream: Upstream, user: string, password: string): Promise<void> {
  try {
    await withClient({ ...upstream, user, password }, async () => undefined);
  } catch (error) {
    throw asPgError(error);
  }
}
