/** The process of role `engine`: captures changes, and serves them to other nodes. */
import type { NodeIdentity } from '../../catalog/node-registry.ts';
import { LogServer } from '../../changelog/remote/log-server.ts';
import { tolerateFailedCommits } from '../../changelog/unreachable-rejections.ts';
import { cannotListen } from '../../core/errors/configuration.ts';
import { Capture } from '../../engines/capture/capture.ts';
import { openCaptureMetrics } from '../../observe/capture-metrics.ts';
import { openLogger } from '../../observe/logger.ts';
import { collect, openProcessRegistry } from '../../observe/process-metrics.ts';
import { changeLogDirectory } from '../change-logs/change-log-directory.ts';
import { ServedChangeLogs } from '../change-logs/node-change-logs.ts';
import { type Address, isEveryInterface, printAddress } from '../config/address.ts';
import type { LogLevel } from '../config/configuration.ts';
import type { Upstream } from '../config/upstream.ts';
import { serveRole, tell } from './serve-role.ts';

export type EngineRoleConfiguration = {
  readonly upstream: Upstream;
  readonly databases: readonly string[];
  readonly dataDirectory: string;
  readonly isCaptureOn: boolean;
  /** Where it serves its change logs to other nodes. */
  readonly internal: Address;
  readonly node: Omit<NodeIdentity, 'pid' | 'logAddress'>;
  readonly logLevel: LogLevel;
};

/** EX_TEMPFAIL: the supervisor starts it again, a little later each time. */
const logFailedExitCode = 75;

tolerateFailedCommits();

serveRole<EngineRoleConfiguration>(async (configuration) => {
  const { upstream, databases, dataDirectory, isCaptureOn, internal, logLevel } = configuration;
  const registry = openProcessRegistry('engine');
  const metrics = openCaptureMetrics(registry);
  const logger = openLogger({ level: logLevel, fields: { role: 'engine' } });
  const logs = new ServedChangeLogs({ ...configuration, node: configuration.node.id });
  const logOf = logs.of.bind(logs);
  // Before the node says where: nobody is told of an address that does not answer.
  const server = await LogServer.listen({ listen: internal, logOf, logger }).catch(
    (error: unknown) => {
      throw cannotListen('--internal', printAddress(internal), error);
    },
  );
  const address = { host: internal.host, port: server.port };
  const node = {
    ...configuration.node,
    pid: process.pid,
    logAddress: advertised(address, configuration.node.host),
  };
  const stopping = new AbortController();
  const running = databases.map((database) =>
    new Capture({
      target: { ...upstream, database },
      directory: changeLogDirectory(dataDirectory, database),
      node,
      isOn: isCaptureOn,
      logger,
      metrics,
      logFailed: () => process.exit(logFailedExitCode),
      report: (report) => tell({ kind: 'capture', report }),
    }).run(stopping.signal),
  );
  return {
    addresses: { internal: address },
    collect: () => collect(registry),
    async drain() {
      stopping.abort();
      await Promise.all(running);
      await server.close();
      await logs.close();
    },
  };
});

/** What other nodes connect to: an address that means every interface is not one. */
function advertised(address: Address, hostName: string): string {
  const host = isEveryInterface(address.host) ? hostName : address.host;
  return printAddress({ host, port: address.port });
}
