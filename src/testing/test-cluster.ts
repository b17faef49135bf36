import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountForServer, canReach } from '../app/embedded-postgres/account.ts';
import { binariesOfPackage, usableBinaries } from '../app/embedded-postgres/binaries.ts';
import { initialiseCluster } from '../app/embedded-postgres/cluster.ts';
import { startPostgres } from '../app/embedded-postgres/postgres-process.ts';
import { eventually } from '../app/eventually.ts';
import { isAlive } from '../app/process-table.ts';
import { childrenOf, signal } from './process-tree.ts';

/** A data directory of its own, whose server may be stopped and started again. */
export type TestCluster = {
  /** The data directory. */
  readonly directory: string;
  /** `port`: where the last one listened, when clients are to find it again. */
  start(options?: TestServerOptions): Promise<TestServer>;
};

export type TestServerOptions = {
  readonly port?: number;
  /** Beyond and instead of those that every test server has. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type TestServer = {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** SIGKILL to all of its processes at once; what the system has of its files stays. */
  kill(): Promise<void>;
};

/** How long the backends of a killed server may take to be gone, ms. */
const backendsEndMax = 10_000;

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
    async start({ port, settings: further }: TestServerOptions = {}) {
      const logFile = join(directory, 'postgres.log');
      const server = await startPostgres({
        cluster,
        binaries,
        logFile,
        settings: { ...settings, ...further },
        ...(port === undefined ? {} : { port }),
      });
      const endGuard = guard(server.pid, directory);
      server.unref();
      return {
        url: `postgres://postgres@127.0.0.1:${server.port}/postgres`,
        port: server.port,
        async stop() {
          await server.stop();
          await endGuard();
        },
        async kill() {
          const pids = [server.pid, ...childrenOf(server.pid)];
          for (const pid of pids) signal(pid, 'SIGKILL');
          await server.exited;
          await eventually(() => !pids.some(isAlive), backendsEndMax);
          await endGuard();
        },
      };
    },
  };
}

/**
 * A shell that reads from a pipe this process holds: when this process ends, even by SIGKILL, the
 * read returns and the server is ended and its files removed. Answers how to send the shell away,
 * for the files are used again by the next server.
 */
function guard(pid: number, directory: string): () => Promise<void> {
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
  return async () => {
    if (shell.exitCode !== null || shell.signalCode !== null) return;
    unguarded.add(directory);
    const exited = once(shell, 'exit');
    shell.ref();
    shell.kill('SIGKILL');
    await exited;
  };
}

/** Clusters whose last server ended before this process; their files go with it all the same. */
const unguarded: Set<string> = new Set();
process.once('exit', () => {
  for (const directory of unguarded) rmSync(directory, { recursive: true, force: true });
});
