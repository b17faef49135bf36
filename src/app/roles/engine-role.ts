/** The process of role `engine`: captures changes. */
import type { NodeIdentity } from '../../catalog/node-registry.ts';
import { Capture } from '../../engines/capture/capture.ts';
import { openCaptureMetrics } from '../../observe/capture-metrics.ts';
import { openLogger } from '../../observe/logger.ts';
import { collect, openProcessRegistry } from '../../observe/process-metrics.ts';
import { changeLogDirectory } from '../change-log-directory.ts';
import type { LogLevel } from '../config/configuration.ts';
import type { Upstream } from '../config/upstream.ts';
import { serveRole, tell } from './serve-role.ts';

export type EngineRoleConfiguration = {
  readonly upstream: Upstream;
  readonly databases: readonly string[];
  readonly dataDirectory: string;
  readonly isCaptureOn: boolean;
  readonly node: Omit<NodeIdentity, 'pid'>;
  readonly logLevel: LogLevel;
};

serveRole<EngineRoleConfiguration>(async (configuration) => {
  const { upstream, databases, dataDirectory, isCaptureOn, node, logLevel } = configuration;
  const registry = openProcessRegistry('engine');
  const metrics = openCaptureMetrics(registry);
  const logger = openLogger({ level: logLevel, fields: { role: 'engine' } });
  const stopping = new AbortController();
  const running = databases.map((database) =>
    new Capture({
      target: { ...upstream, database },
      directory: changeLogDirectory(dataDirectory, database),
      node: { ...node, pid: process.pid },
      isOn: isCaptureOn,
      logger,
      metrics,
      report: (report) => tell({ kind: 'capture', report }),
    }).run(stopping.signal),
  );
  return {
    addresses: {},
    collect: () => collect(registry),
    async drain() {
      stopping.abort();
      await Promise.all(running);
    },
  };
});
