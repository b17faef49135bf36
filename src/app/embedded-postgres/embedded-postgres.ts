import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { usableBinaries } from './binaries.ts';
import { initialiseCluster, placeCluster } from './cluster.ts';
import { clearLeftovers } from './leftovers.ts';
import { type PostgresProcess, startPostgres } from './postgres-process.ts';

/** A database of our own, made where needed and ready to be started. */
export type EmbeddedPostgres = {
  /** `port` is tried first. May be called again once the last process has ended. */
  start(port?: number): Promise<PostgresProcess>;
};

export function postgresLogFile(dataDirectory: string): string {
  return join(dataDirectory, 'postgres.log');
}

/** The caller holds the lock of the data directory. */
export async function openEmbeddedPostgres(options: {
  readonly dataDirectory: string;
  /** Told what a person may want to know, a line at a time. */
  readonly say: (line: string) => void;
}): Promise<EmbeddedPostgres> {
  const { dataDirectory, say } = options;
  const cluster = await placeCluster(dataDirectory, say);
  const binaries = await usableBinaries({ account: cluster.account, dataDirectory });
  if (!existsSync(cluster.directory)) say(`creating a database in ${cluster.directory}`);
  await initialiseCluster({ cluster, binaries, sync: true });
  const logFile = postgresLogFile(dataDirectory);
  return {
    async start(port) {
      await clearLeftovers(cluster.directory);
      return startPostgres({ cluster, binaries, logFile, ...(port === undefined ? {} : { port }) });
    },
  };
}
