import { cpus } from 'node:os';
import type { Client } from 'pg';
import { median, quantile } from '../samples.ts';
import {
  type CaptureEndpoint,
  switchCapture,
  untilCaptured,
  withCaptureEndpoint,
} from './capture-endpoint.ts';
import { withClient } from './capture-server.ts';
import { attempt, measured, type Part } from './part.ts';
import { accountRows, selectLatencies } from './pgbench.ts';

const ratioLimit = 1.05;
/** For pgbench, proxy, its backend, writer, walsender, capture; and one that is idle. */
const coresForAll = 7;
/** How long one sample takes, seconds; the only one of a run that is to be quick less. */
const sampleSeconds = 3;
const quickSeconds = 1;

const names = { idle: 'pass-through, capture idle', full: 'pass-through, capture at full rate' };

/**
 * Selects through the proxy with capture on, beside the same with capture off. The writer of `full`
 * writes on both sides, so that what is compared is capture and not the writer.
 */
export const passThrough: Part = {
  names: Object.values(names),
  async run({ server, options, report }) {
    const { directory } = server;
    const seconds = options.runs > 1 ? sampleSeconds : quickSeconds;
    const wanted = (['idle', 'full'] as const).filter((load) =>
      options.names.includes(names[load]),
    );
    await attempt(
      wanted.map((load) => names[load]),
      report,
      () =>
        withCaptureEndpoint(server, async (endpoint) => {
          await withClient(endpoint.directUrl, createTables);
          const p50s = { idle: { on: [], off: [] }, full: { on: [], off: [] } } as Samples;
          const written = { on: [] as number[], off: [] as number[] };
          for (let run = 0; run < options.runs; run += 1) {
            for (const capture of ['on', 'off'] as const) {
              await turn(endpoint, capture);
              for (const load of wanted) {
                const measure = async (): Promise<void> => {
                  const times = await selectLatencies(endpoint.url, {
                    directory,
                    seconds,
                  });
                  p50s[load][capture].push(quantile(times, 0.5));
                };
                if (load === 'idle') await measure();
                else written[capture].push(await whileWriting(endpoint.directUrl, measure));
              }
            }
          }
          const cores = cpus().length;
          const isRoomy = cores >= coresForAll;
          const limit = { of: 'ratio', is: 'at most', value: ratioLimit } as const;
          for (const load of wanted) {
            report(
              measured({
                name: names[load],
                unit: 'ms',
                ours: p50s[load].on,
                peer: { label: 'capture off', values: p50s[load].off },
                ...(load === 'idle' || isRoomy ? { limit } : {}),
                remark: load === 'idle' ? 'p50' : fullRemark(written, cores, isRoomy),
                details: { p50s: p50s[load], ...(load === 'full' ? { written } : {}) },
              }),
            );
          }
        }),
    );
  },
};

type Sides = { readonly on: number[]; readonly off: number[] };
type Samples = Readonly<Record<'idle' | 'full', Sides>>;

function fullRemark(written: Sides, cores: number, isRoomy: boolean): string {
  const rates = `${thousands(written.on)} changes/s written, ${thousands(written.off)} without`;
  if (isRoomy) return `p50; ${rates}`;
  return `p50; ${rates}; ${cores} cores for pgbench, proxy, backend, writer, walsender, capture`;
}

function thousands(rates: readonly number[]): string {
  return `${Math.round(median(rates) / 1000)},000`;
}

async function turn(endpoint: CaptureEndpoint, capture: 'on' | 'off'): Promise<void> {
  await withClient(endpoint.url, (client) =>
    switchCapture(client, capture === 'on' ? 'ENABLE' : 'DISABLE'),
  );
  if (capture === 'on') await untilCaptured(endpoint.directUrl);
}

async function createTables(client: Client): Promise<void> {
  await client.query('CREATE TABLE accounts (id int PRIMARY KEY, balance int)');
  await client.query(
    `INSERT INTO accounts SELECT n, n FROM generate_series(1, ${accountRows}) AS n`,
  );
  await client.query('VACUUM ANALYZE accounts');
  await client.query('CREATE TABLE noise (id bigint, note text)');
}

/** Inserts as fast as one backend can until `use` is done; answers changes per second. */
async function whileWriting(url: string, use: () => Promise<void>): Promise<number> {
  return withClient(url, async (client) => {
    await client.query('TRUNCATE noise');
    await client.query('SET synchronous_commit = off');
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const from = performance.now();
    const ended = client
      .query(
        `DO $$ BEGIN
           LOOP
             INSERT INTO noise SELECT n, 'a note that is not very long' FROM generate_series(1, 100) AS n;
             COMMIT;
           END LOOP;
         END $$`,
      )
      .catch((error: unknown) => error);
    try {
      await use();
    } finally {
      await withClient(url, (other) => other.query('SELECT pg_cancel_backend($1)', [rows[0]?.pid]));
    }
    await ended;
    const seconds = (performance.now() - from) / 1000;
    const counted = await client.query<{ count: string }>('SELECT count(*) FROM noise');
    return Number(counted.rows[0]?.count) / seconds;
  });
}
