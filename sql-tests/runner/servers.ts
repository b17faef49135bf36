import { startEndpoint } from '../../src/testing/test-endpoint.ts';
import { testPostgres } from '../../src/testing/test-postgres.ts';
import { Administrator } from './administrator.ts';
import type { Servers } from './run-file.ts';
import type { Address } from './wire/connection.ts';

/** Starts what files are run on; `stop` ends what was started here. */
export async function startServers(): Promise<{ servers: Servers; stop: () => Promise<void> }> {
  const postgres = await testPostgres();
  const { host, port, user } = postgres;
  const administrator = await Administrator.open({ host, port, user, database: 'postgres' });
  const [row] = await administrator.rows('SHOW server_version_num');
  administrator.close();
  const endpoint = await openEndpoint(postgres.url('postgres'));
  return {
    servers: {
      postgres: { host, port, user },
      endpoint: endpoint.address,
      version: Math.floor(Number(row?.[0]) / 10_000),
    },
    stop: endpoint.stop,
  };
}

/** `HELIOSDB_TEST_ENDPOINT` (host:port) names one that already runs before the test upstream. */
async function openEndpoint(
  upstream: string,
): Promise<{ address: Address; stop: () => Promise<void> }> {
  const given = process.env['HELIOSDB_TEST_ENDPOINT'];
  if (given !== undefined) {
    const { hostname, port } = new URL(`postgres://${given}`);
    return { address: { host: hostname, port: Number(port) }, stop: () => Promise.resolve() };
  }
  const { host, port, stop } = await startEndpoint({ upstream });
  return {
    address: { host, port },
    stop: async () => {
      await stop();
    },
  };
}
