import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountForServer, canReach } from '../app/embedded-postgres/account.ts';
import { binariesOfPackage, usableBinaries } from '../app/embedded-postgres/binaries.ts';
import { initialiseCluster } from '../app/embedded-postgres/cluster.ts';
import { startPostgres } from '../app/embedded-postgres/postgres-process.ts';

/** A data directory of its own, whose server may be stopped and started again. */
export type TestCluster = {
  /** The data directory. */
  readonly directory: string;
  /** With settings of its own besides those of every test. */
  start(more?: Readonly<Record<string, string>>): Promise<TestServer>;
};

export type TestServer = {
  readonly url: string;
  stop(): Promise<void>;
};

const settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  max_wal_senders: '20',
  max_replication_slots: '20',
  max_prepared_transactions: '20',
};

/**
 * Makes a cluster with `wal_level=logical`, trust on 127.0.0.1, not durable. Servers end and the
 * files go when this process ends, however that happens.
 */
export async function makeTestCluster(): Promise<TestCluster> {
  const account = accountForServer();
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find((path) => canReach(account, path)) ?? '.';
  const directory = mkdtempSync(join(parent, 'heliosdb-test-'));
  chmodSync(directory, 0o755);
  const cluster = { directory: join(directory, 'postgres'), account };
  const root = process.env['HELIOSDB_TEST_BINARIES'];
  const packaged = root === undefined ? {} : { packaged: await binariesOfPackage(root) };
  const binaries = await usableBinaries({ account, dataDirectory: directory, ...packaged });
  await initialiseCluster({ cluster, binaries, sync: false });
  return {
    directory: cluster.directory,
    async start(more = {}) {
      const logFile = join(directory, 'postgres.log');
      const server = await startPostgres({
        cluster,
        binaries,
        logFile,
        settings: { ...settings, ...more },
      });
      guard(server.pid, directory);
      server.unref();
      return {
        url: `postgres://postgres@127.0.0.1:${server.port}/postgres`,
        stop: () => server.stop(),
      };
    },
  };
}

/**
 * A shell that reads from a pipe this process holds: when this process ends, even by SIGKILL, the
 * read returns and the server is ended and its files removed.
 */
function guard(pid: number, directory: string): void {
  const script = `read -r _; kill -QUIT "$1"
    for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
    rm -rf "$2"`;
  const shell = spawn('/bin/sh', ['-c', script, 'sh', String(pid), directory], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
}
