/** The process of role `proxy`: the Postgres endpoint. */
import { cannotListen } from '../../core/errors/configuration.ts';
import { openLogger } from '../../observe/logger.ts';
import { collect, openProcessRegistry } from '../../observe/process-metrics.ts';
import { openProxyMetrics } from '../../observe/proxy-metrics.ts';
import { startProxy } from '../../proxy/proxy-server.ts';
import { RewriterPool } from '../../proxy/rewriter-pool.ts';
import { NodeChangeLogs } from '../change-logs/node-change-logs.ts';
import { type Address, printAddress } from '../config/address.ts';
import type { LogLevel, TlsMaterial } from '../config/configuration.ts';
import type { Upstream } from '../config/upstream.ts';
import { serveRole } from './serve-role.ts';

export type ProxyRoleConfiguration = {
  readonly listen: Address;
  readonly upstream: Upstream;
  readonly tls: TlsMaterial | undefined;
  readonly logLevel: LogLevel;
  readonly dataDirectory: string;
  /** Those that are captured. */
  readonly databases: readonly string[];
  /** The id of this node. */
  readonly node: string;
};

serveRole<ProxyRoleConfiguration>(async (configuration) => {
  const { listen, upstream, tls, logLevel } = configuration;
  const registry = openProcessRegistry('proxy');
  const metrics = openProxyMetrics(registry);
  const logger = openLogger({ level: logLevel, fields: { role: 'proxy' } });
  const changeLogs = new NodeChangeLogs(configuration);
  const { host, port, sslMode, authority } = upstream;
  const proxy = await startProxy({
    listen,
    upstream: {
      host,
      port,
      tls: { mode: sslMode, ...(authority === undefined ? {} : { authority }) },
    },
    ...(tls === undefined ? {} : { clientTls: tls }),
    rewriter: new RewriterPool({ logger, metrics }),
    changeLogs,
    metrics,
    logger,
  }).catch((error: unknown) => {
    throw cannotListen('--listen', printAddress(listen), error);
  });
  return {
    addresses: { listen: { host: listen.host, port: proxy.address.port } },
    collect: () => collect(registry),
    async drain(timeoutMs) {
      await proxy.drain(timeoutMs);
      await changeLogs.close();
    },
  };
});
