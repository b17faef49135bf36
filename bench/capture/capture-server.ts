import { rm } from 'node:fs/promises';
import { Client } from 'pg';
import { makeTestCluster } from '../../src/testing/test-cluster.ts';
import { temporaryDirectory } from '../../src/testing/test-endpoint.ts';
import type { ServerFacts } from '../suite.ts';

/** The Postgres whose changes are captured, spoken to directly. */
export type CaptureServer = {
  url(database: string): string;
  /** Makes an empty database that is dropped in the end, and returns its name. */
  createDatabase(): Promise<string>;
  facts(): Promise<ServerFacts>;
  /** For logs and the like; removed in the end. */
  readonly directory: string;
  stop(): Promise<void>;
};

/** As durable as `heliosdb start` makes it: what commits cost is a part of what is measured. */
const durable = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

const signals = ['SIGINT', 'SIGTERM'] as const;

/** A signal ends it too, and leaves neither files nor slots, which would hold WAL for ever. */
export async function startCaptureServer(upstream: string | undefined): Promise<CaptureServer> {
  const server = upstream === undefined ? await ownServer() : { url: upstream, stop: nothing };
  const made: string[] = [];
  const url = (database: string): string => {
    const named = new URL(server.url);
    named.pathname = `/${database}`;
    return named.href;
  };
  const administer = (sql: string): Promise<void> =>
    withClient(server.url, async (client) => {
      await client.query(sql);
    });
  const directory = temporaryDirectory();
  const stop = async (): Promise<void> => {
    for (const signal of signals) process.removeListener(signal, giveUp);
    // An embedded server goes with all it has.
    if (upstream !== undefined) for (const name of made) await dropDatabase(administer, name);
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const giveUp = (): void => {
    void stop().finally(() => process.exit(1));
  };
  for (const signal of signals) process.once(signal, giveUp);
  return {
    url,
    directory,
    async createDatabase() {
      const name = `heliosdb_bench_${process.pid}_${made.length}`;
      made.push(name);
      await administer(`CREATE DATABASE ${name} TEMPLATE template0`);
      return name;
    },
    facts: () => withClient(server.url, (client) => readFacts(client, upstream === undefined)),
    stop,
  };
}

/** Runs `use` on a connection of its own. */
export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'heliosdb bench' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ownServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  return (await makeTestCluster()).start({ settings: durable });
}

async function nothing(): Promise<void> {}

/** Never throws: what went wrong before is what has to be told. */
async function dropDatabase(
  administer: (sql: string) => Promise<void>,
  name: string,
): Promise<void> {
  try {
    await administer(
      `SELECT pg_terminate_backend(active_pid), pg_sleep(0.2) FROM pg_replication_slots
        WHERE database = '${name}' AND active`,
    );
    await administer(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
        WHERE database = '${name}'`,
    );
    await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  } catch {
    process.stderr.write(`database ${name} may be left behind\n`);
  }
}

async function readFacts(client: Client, isEmbedded: boolean): Promise<ServerFacts> {
  const { rows: versions } = await client.query<{ version: string }>('SELECT version()');
  const { rows } = await client.query<{ name: string; value: string }>(
    `SELECT name, current_setting(name) AS value FROM pg_settings
      WHERE name IN ('wal_level', 'fsync', 'synchronous_commit', 'full_page_writes',
                     'logical_decoding_work_mem', 'max_wal_size', 'shared_buffers')
      ORDER BY name`,
  );
  return {
    version: versions[0]?.version ?? '',
    isEmbedded,
    settings: Object.fromEntries(rows.map(({ name, value }) => [name, value])),
  };
}
