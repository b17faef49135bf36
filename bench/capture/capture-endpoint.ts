import { rm } from 'node:fs/promises';
import type { Client } from 'pg';
import { changeLogDirectory } from '../../src/app/change-logs/change-log-directory.ts';
import { eventually } from '../../src/app/eventually.ts';
import { startEndpoint, temporaryDirectory } from '../../src/testing/test-endpoint.ts';
import { type CaptureServer, withClient } from './capture-server.ts';

/** A HeliosDB that captures a database of its own. */
export type CaptureEndpoint = {
  /** Of the database through HeliosDB, and directly. */
  readonly url: string;
  readonly directUrl: string;
  readonly database: string;
  readonly logDirectory: string;
};

const patienceMs = 600_000;

export async function withCaptureEndpoint(
  server: CaptureServer,
  use: (endpoint: CaptureEndpoint) => Promise<void>,
): Promise<void> {
  const database = await server.createDatabase();
  const directUrl = server.url(database);
  const dataDirectory = temporaryDirectory();
  const endpoint = await startEndpoint({
    upstream: directUrl,
    flags: ['--capture', 'on'],
    dataDirectory,
  });
  const url = new URL(directUrl);
  // TLS and the like are between the endpoint and its upstream.
  url.search = '';
  url.host = `${endpoint.host}:${endpoint.port}`;
  try {
    await untilCaptured(directUrl);
    const logDirectory = changeLogDirectory(dataDirectory, database);
    await use({ url: url.href, directUrl, database, logDirectory });
  } finally {
    await withClient(url.href, (client) => switchCapture(client, 'DISABLE')).catch(() => undefined);
    await endpoint.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

/** Waits until capture has what is committed now. */
export async function untilCaptured(directUrl: string): Promise<void> {
  await withClient(directUrl, async (client) => {
    await until('capture streams', () =>
      holds(client, `SELECT state = 'streaming' AS holds FROM heliosdb.cdc_status`),
    );
    const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
    await until('capture catches up', () =>
      holds(client, `SELECT log_end >= '${rows[0]?.lsn}' AS holds FROM heliosdb.cdc_status`),
    );
  });
}

/** Turns capture on or off, and waits until it is. */
export async function switchCapture(client: Client, to: 'ENABLE' | 'DISABLE'): Promise<void> {
  await client.query(`ALTER CDC CAPTURE ${to}`);
  const there = "EXISTS (SELECT FROM pg_replication_slots WHERE slot_name LIKE 'heliosdb\\_%'";
  const inDatabase = 'AND database = current_database()';
  await until(`capture is what ${to} says`, () =>
    holds(
      client,
      to === 'ENABLE'
        ? `SELECT ${there} ${inDatabase} AND active) AS holds`
        : `SELECT NOT ${there} ${inDatabase}) AS holds`,
    ),
  );
}

/** Before anything was captured there is no table to ask: then it does not hold. */
async function holds(client: Client, sql: string): Promise<boolean> {
  try {
    const { rows } = await client.query<{ holds: boolean | null }>(sql);
    return rows[0]?.holds === true;
  } catch (error) {
    if (/relation .* does not exist|schema .* does not exist/.test(String(error))) return false;
    throw error;
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  if (await eventually(isSo, patienceMs)) return;
  throw new Error(`in vain was waited until ${what}`);
}
