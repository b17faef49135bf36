import type { Client } from 'pg';
import { publicationNames } from '../../src/engines/capture/publications.ts';
import { type CaptureServer, withClient } from './capture-server.ts';
import type { Workload } from './workloads.ts';

/** WAL that waits behind a slot. Each run reads it through a copy of that slot. */
export type Backlog = {
  readonly url: string;
  readonly changes: number;
  /** Where the slot decodes from. */
  readonly start: string;
  /** Behind the last transaction of the workload, before one more that tells a reader so. */
  readonly end: string;
  /** How much WAL that is, bytes. */
  readonly walBytes: number;
  withSlot<T>(use: (slot: string) => Promise<T>): Promise<T>;
  drop(): Promise<void>;
};

/** What can be told to another process. */
export function placeOf({ url, start, end }: Backlog): Pick<Backlog, 'url' | 'start' | 'end'> {
  return { url, start, end };
}

/** What START_REPLICATION says, in every way. */
export const pgoutputOptions: Readonly<Record<string, string>> = {
  proto_version: '2',
  publication_names: publicationNames.join(','),
  streaming: 'on',
  messages: 'true',
};

/** Makes a slot, then does the work, in a database of its own. */
export async function makeBacklog(server: CaptureServer, workload: Workload): Promise<Backlog> {
  const database = await server.createDatabase();
  const url = server.url(database);
  const origin = `${database}_origin`;
  const found = await withClient(url, async (client) => {
    await client.query(`CREATE TABLE load (${workload.columns})`);
    await client.query('CREATE TABLE marker (id int)');
    await createPublications(client);
    const { rows } = await client.query<{ start: string }>(
      `SELECT lsn::text AS start FROM pg_create_logical_replication_slot('${origin}', 'pgoutput')`,
    );
    // What commits cost the writer is not the question here.
    await client.query('SET synchronous_commit = off');
    await client.query(workload.sql);
    const start = rows[0]?.start ?? '0/0';
    const { rows: ends } = await client.query<{ end: string; bytes: string }>(
      `SELECT pg_current_wal_insert_lsn()::text AS end,
              pg_current_wal_insert_lsn() - '${start}'::pg_lsn AS bytes`,
    );
    await client.query('SET synchronous_commit = on');
    await client.query('INSERT INTO marker VALUES (1)');
    // What is written later is written while something is measured. It takes a right of its own.
    await client.query('CHECKPOINT').catch(() => undefined);
    return { start, end: ends[0]?.end ?? '0/0', walBytes: Number(ends[0]?.bytes) };
  });
  let copies = 0;
  return {
    url,
    changes: workload.changes,
    ...found,
    async withSlot(use) {
      copies += 1;
      const copy = `${database}_${copies}`;
      await withClient(url, (client) =>
        client.query('SELECT pg_copy_logical_replication_slot($1, $2)', [origin, copy]),
      );
      try {
        return await use(copy);
      } finally {
        await withClient(url, (client) => dropSlot(client, copy));
      }
    },
    drop: () => withClient(url, (client) => dropSlot(client, origin)),
  };
}

/** Those of the product, as far as inserts need them. */
async function createPublications(client: Client): Promise<void> {
  const [inserts, updates] = publicationNames;
  await client.query(
    `CREATE PUBLICATION ${inserts} FOR ALL TABLES
       WITH (publish = 'insert, truncate', publish_via_partition_root = true)`,
  );
  await client.query(`CREATE PUBLICATION ${updates} WITH (publish = 'update, delete')`);
}

/** A walsender needs a moment to notice that its client has gone. */
async function dropSlot(client: Client, slot: string): Promise<void> {
  await client.query(`DO $$ BEGIN
    FOR attempt IN 1..500 LOOP
      EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots
                             WHERE slot_name = '${slot}' AND active);
      PERFORM pg_sleep(0.02);
    END LOOP;
    PERFORM pg_drop_replication_slot('${slot}');
  END $$`);
}
