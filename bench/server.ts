import { Client } from 'pg';
import { startEndpoint } from '../src/testing/test-endpoint.ts';
import type { ServerFacts } from './suite.ts';

/** A session that gives up on its own, on a connection that can be thrown away. */
export type Session = Pick<Client, 'query'>;

/** The endpoint that is measured. */
export type Server = {
  /** Runs `use` in a session of its own, each statement of which may take so long. */
  withSession<T>(statementMsMax: number, use: (session: Session) => Promise<T>): Promise<T>;
  facts(): Promise<ServerFacts>;
  stop(): Promise<void>;
};

/** How much longer than the server the client waits for a statement to be given up, ms. */
const clientPatienceMs = 10_000;

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Starts HeliosDB before a Postgres of its own, with the settings every `heliosdb start` gives it,
 * or before `upstream`. A signal ends both and leaves no files.
 */
export async function startServer(upstream: string | undefined): Promise<Server> {
  const starting = startEndpoint(upstream === undefined ? {} : { upstream });
  const giveUp = (): void => {
    void starting
      .then((endpoint) => endpoint.stop())
      .catch(() => undefined)
      .then(() => process.exit(1));
  };
  for (const signal of signals) process.once(signal, giveUp);
  const endpoint = await starting;
  const url = new URL(upstream ?? 'postgres://postgres@127.0.0.1/postgres');
  // TLS and the like are between the endpoint and its upstream.
  url.search = '';
  url.host = `${endpoint.host}:${endpoint.port}`;

  const withSession: Server['withSession'] = async (statementMsMax, use) => {
    const client = new Client({
      connectionString: url.href,
      application_name: 'heliosdb bench',
      connectionTimeoutMillis: clientPatienceMs,
      statement_timeout: statementMsMax,
      query_timeout: statementMsMax + clientPatienceMs,
    });
    // Reported by the query that runs into it.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await use(client);
    } finally {
      await client.end();
    }
  };

  return {
    withSession,
    facts: () =>
      withSession(clientPatienceMs, (session) => readFacts(session, upstream === undefined)),
    async stop() {
      for (const signal of signals) process.removeListener(signal, giveUp);
      await endpoint.stop();
    },
  };
}

async function readFacts(session: Session, isEmbedded: boolean): Promise<ServerFacts> {
  const { rows: versions } = await session.query<{ version: string }>(
    'SELECT version() AS version',
  );
  const { rows } = await session.query<{ name: string; value: string }>(
    `SELECT name, CASE WHEN name = 'jit' AND NOT pg_jit_available() THEN 'not available'
                       ELSE current_setting(name) END AS value
     FROM pg_settings
     WHERE name IN ('shared_buffers', 'work_mem', 'hash_mem_multiplier', 'effective_cache_size',
                    'max_parallel_workers_per_gather', 'random_page_cost', 'jit')
        OR (category LIKE 'Query Tuning%' OR category LIKE 'Resource Usage%')
           AND source IN ('configuration file', 'command line', 'database', 'user')
           AND setting <> boot_val
     ORDER BY name`,
  );
  return {
    version: versions[0]?.version ?? '',
    isEmbedded,
    settings: Object.fromEntries(rows.map(({ name, value }) => [name, value])),
  };
}
