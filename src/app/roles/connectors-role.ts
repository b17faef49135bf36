/** The process of role `connectors`: delivers changes to other systems. */
import { join } from 'node:path';
import { Delivery } from '../../engines/connectors/delivery.ts';
import { openLogger } from '../../observe/logger.ts';
import { collect, openProcessRegistry } from '../../observe/process-metrics.ts';
import { RoleAccess } from '../../redis/role-access.ts';
import { NodeChangeLogs } from '../change-logs/node-change-logs.ts';
import type { LogLevel } from '../config/configuration.ts';
import type { Upstream } from '../config/upstream.ts';
import { serveRole } from './serve-role.ts';

export type ConnectorsRoleConfiguration = {
  readonly upstream: Upstream;
  /** Those that are captured. */
  readonly databases: readonly string[];
  readonly dataDirectory: string;
  /** The id of this node. */
  readonly node: string;
  readonly logLevel: LogLevel;
};

serveRole<ConnectorsRoleConfiguration>(async (configuration) => {
  const { upstream, databases, dataDirectory, node, logLevel } = configuration;
  const registry = openProcessRegistry('connectors');
  const logger = openLogger({ level: logLevel, fields: { role: 'connectors' } });
  const logs = new NodeChangeLogs(configuration);
  const stopping = new AbortController();
  const deliveries = databases.map((database) => {
    const target = { ...upstream, database };
    const access = new RoleAccess(target);
    const delivery = new Delivery({
      target,
      node,
      reader: logs.of(database)!,
      accessOf: (role) => access.of(role),
      secretsDirectory: join(dataDirectory, 'secrets'),
      logger,
    });
    return { access, running: delivery.run(stopping.signal) };
  });
  return {
    addresses: {},
    collect: () => collect(registry),
    async drain() {
      stopping.abort();
      await Promise.all(deliveries.map(({ running }) => running));
      await Promise.all(deliveries.map(({ access }) => access.close()));
      await logs.close();
    },
  };
});
