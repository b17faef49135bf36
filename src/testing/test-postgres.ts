import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountForServer, canReach } from '../app/embedded-postgres/account.ts';
import { binariesOfPackage, usableBinaries } from '../app/embedded-postgres/binaries.ts';
import { initialiseCluster } from '../app/embedded-postgres/cluster.ts';
import { startPostgres } from '../app/embedded-postgres/postgres-process.ts';
import { withClient } from '../postgres/client.ts';

/** A server to test against. Its databases are the caller's own until the process ends. */
export type TestPostgres = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Makes an empty database and returns its name. */
  createDatabase(): Promise<string>;
  url(database: string): string;
};

let memo: Promise<TestPostgres> | undefined;

/**
 * The one Postgres of this test process: `wal_level=logical`, trust on 127.0.0.1, not durable. It
 * ends and its files go when the process ends, however that happens. `HELIOSDB_TEST_UPSTREAM`
 * names an existing server to use instead, `HELIOSDB_TEST_BINARIES` an installed package of
 * `@embedded-postgres` to start it from.
 */
export function testPostgres(): Promise<TestPostgres> {
  memo ??= openTestPostgres();
  return memo;
}

async function openTestPostgres(): Promise<TestPostgres> {
  const given = process.env['HELIOSDB_TEST_UPSTREAM'];
  const server = given === undefined ? await startOwnServer() : new URL(given);
  const made: string[] = [];
  const url = (database: string): string => {
    const named = new URL(server);
    named.pathname = `/${database}`;
    return named.href;
  };
  const administer = (sql: string): Promise<void> =>
    withClient(given ?? url('postgres'), async (client) => {
      await client.query(sql);
    });
  if (given !== undefined) {
    process.once('beforeExit', () => {
      void (async () => {
        for (const name of made) await administer(`DROP DATABASE ${name} WITH (FORCE)`);
      })();
    });
  }
  return {
    host: server.hostname,
    port: Number(server.port || 5432),
    user: decodeURIComponent(server.username),
    url,
    async createDatabase() {
      const name = `heliosdb_test_${process.pid}_${made.length}`;
      made.push(name);
      // template1 cannot be copied while anybody is connected to it.
      await administer(`CREATE DATABASE ${name} TEMPLATE template0`);
      return name;
    },
  };
}

async function startOwnServer(): Promise<URL> {
  const account = accountForServer();
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find((path) => canReach(account, path)) ?? '.';
  const directory = mkdtempSync(join(parent, 'heliosdb-test-'));
  chmodSync(directory, 0o755);
  const cluster = { directory: join(directory, 'postgres'), account };
  const root = process.env['HELIOSDB_TEST_BINARIES'];
  const packaged = root === undefined ? {} : { packaged: await binariesOfPackage(root) };
  const binaries = await usableBinaries({ account, dataDirectory: directory, ...packaged });
  await initialiseCluster({ cluster, binaries, sync: false });
  const server = await startPostgres({
    cluster,
    binaries,
    logFile: join(directory, 'postgres.log'),
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      max_connections: '200',
      max_wal_senders: '20',
      max_replication_slots: '20',
    },
  });
  guard(server.pid, directory);
  server.unref();
  return new URL(`postgres://postgres@127.0.0.1:${server.port}/postgres`);
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
