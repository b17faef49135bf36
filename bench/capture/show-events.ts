import type { Client } from 'pg';
import { type CaptureEndpoint, untilCaptured, withCaptureEndpoint } from './capture-endpoint.ts';
import { withClient } from './capture-server.ts';
import { attempt, measured, type Part } from './part.ts';

const plainLimitMs = 50;
/** Changes in the log, beside the number of rows. */
const logShare = 12.5;
const callsPerRun = 4;
const largeRows = 50_000;
const smallRows = 100;
const smallCount = 500;

/** What is asked, and how many rows are the answer to it. */
type Question = { readonly sql: string; readonly rows: number; readonly limitMs?: number };

/** `middle` is an LSN in the middle of the log. */
function questions(middle: string, rounds: number): Readonly<Record<string, Question>> {
  return {
    plain: { sql: 'SHOW CDC EVENTS', rows: 100, limitMs: plainLimitMs },
    'LIMIT 1000': { sql: 'SHOW CDC EVENTS LIMIT 1000', rows: 1000 },
    'FROM a table that rarely changes': {
      sql: 'SHOW CDC EVENTS FROM rare',
      // One is that it was made.
      rows: Math.min(rounds + 1, 100),
    },
    'WHERE, every other row': {
      sql: "SHOW CDC EVENTS WHERE (after->>'id')::bigint % 2 = 0",
      rows: 100,
    },
    'SINCE LSN in the middle': { sql: `SHOW CDC EVENTS SINCE LSN '${middle}'`, rows: 100 },
  };
}

/** SHOW CDC EVENTS through the proxy over a log of millions of changes. */
export const showEvents: Part = {
  names: Object.keys(questions('', 1)).map(nameOf),
  async run({ server, options, report }) {
    const wanted = showEvents.names.filter((name) => options.names.includes(name));
    await attempt(wanted, report, () =>
      withCaptureEndpoint(server, async (endpoint) => {
        const rounds = Math.max(2, Math.round((options.rows * logShare) / (2 * largeRows)));
        const { middle, changes } = await fill(endpoint, rounds);
        const asked = Object.entries(questions(middle, rounds)).filter(([what]) =>
          wanted.includes(nameOf(what)),
        );
        const times = new Map<string, number[]>(asked.map(([what]) => [what, []]));
        await withClient(endpoint.url, async (client) => {
          for (const [what, question] of asked) await check(client, what, question);
          for (let call = 0; call < callsPerRun * options.runs; call += 1) {
            for (const [what, { sql }] of asked) times.get(what)?.push(await time(client, sql));
          }
        });
        for (const [what, { sql, limitMs }] of asked) {
          report(
            measured({
              name: nameOf(what),
              unit: 'ms',
              ours: times.get(what) ?? [],
              ...(limitMs === undefined
                ? {}
                : { limit: { of: 'ours', is: 'at most', value: limitMs } }),
              remark: `${(changes / 1e6).toFixed(1)} million changes in the log`,
              details: { sql, changes },
            }),
          );
        }
      }),
    );
  },
};

function nameOf(what: string): string {
  return `SHOW CDC EVENTS: ${what}`;
}

/**
 * Through the real capture: large transactions, small ones, and now and then a row of a table that
 * rarely changes, over and over.
 */
async function fill(
  endpoint: CaptureEndpoint,
  rounds: number,
): Promise<{ readonly middle: string; readonly changes: number }> {
  let middle = '';
  await withClient(endpoint.directUrl, async (client) => {
    await client.query('CREATE TABLE busy (id bigint, note text)');
    await client.query('CREATE TABLE rare (id bigint, note text)');
    await client.query('SET synchronous_commit = off');
    for (let round = 0; round < rounds; round += 1) {
      if (round === Math.floor(rounds / 2)) {
        const { rows } = await client.query<{ lsn: string }>(
          'SELECT pg_current_wal_insert_lsn()::text AS lsn',
        );
        middle = rows[0]?.lsn ?? '';
      }
      await client.query("INSERT INTO rare VALUES ($1, 'rare')", [round]);
      await client.query(
        `INSERT INTO busy SELECT n, 'a note that is not very long'
           FROM generate_series(1, ${largeRows}) AS n`,
      );
      await client.query(
        `DO $$ BEGIN
           FOR number IN 1..${smallCount} LOOP
             INSERT INTO busy SELECT n, 'a note that is not very long'
               FROM generate_series(1, ${smallRows}) AS n;
             COMMIT;
           END LOOP;
         END $$`,
      );
    }
    await client.query('SET synchronous_commit = on');
    await client.query("INSERT INTO busy VALUES (0, 'the last one')");
  });
  await untilCaptured(endpoint.directUrl);
  return { middle, changes: rounds * (largeRows + smallCount * smallRows + 1) };
}

async function check(client: Client, what: string, { sql, rows }: Question): Promise<void> {
  const found = (await client.query(sql)).rows.length;
  if (found !== rows) throw new Error(`${what} answers ${found} rows, not ${rows}`);
}

/** As long as the client waits for all rows. */
async function time(client: Client, sql: string): Promise<number> {
  const from = performance.now();
  await client.query(sql);
  return performance.now() - from;
}
