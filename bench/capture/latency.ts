import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { LocalLogReader } from '../../src/changelog/local-log-reader.ts';
import type { ReadForward } from '../../src/contracts/log-reader.ts';
import { quantile } from '../samples.ts';
import { type CaptureEndpoint, withCaptureEndpoint } from './capture-endpoint.ts';
import { withClient } from './capture-server.ts';
import { attempt, measured, type Part } from './part.ts';

const p50LimitMs = 10;
/** How long changes are written for one sample, ms. */
const writingMs = 3_000;
/** How long the last of them may take to be seen, ms. */
const patienceMs = 10_000;
const batchMax = 2_000;

type Load = {
  readonly label: string;
  readonly transactionsPerSecond: number;
  readonly rows: number;
};

const steady: Load = { label: '1,000 changes/s', transactionsPerSecond: 100, rows: 10 };
/** What the machine and the intervals of looking cost when there is nothing else to do. */
const idle: Load = { label: '10 changes/s', transactionsPerSecond: 10, rows: 1 };

/** Sees changes: calls with the number of each last transaction it sees, until it is told to stop. */
type Watch = (
  endpoint: CaptureEndpoint,
  saw: (number: number) => void,
  signal: AbortSignal,
) => Promise<void>;

const watches: Readonly<Record<string, Watch>> = {
  'commit to log': watchLog,
  'commit to SHOW CDC EVENTS': watchShow,
};

/**
 * From when the client has the answer to its COMMIT, to when another one has the change: decoded
 * from the log, or as a row of SHOW CDC EVENTS that is asked for over and over.
 */
export const latency: Part = {
  names: Object.keys(watches).map(nameOf),
  async run({ server, options, report }) {
    const wanted = Object.entries(watches).filter(([way]) => options.names.includes(nameOf(way)));
    const names = wanted.map(([way]) => nameOf(way));
    await attempt(names, report, () =>
      withCaptureEndpoint(server, async (endpoint) => {
        await withClient(endpoint.directUrl, (client) =>
          client.query('CREATE TABLE pulse (number int, row int)'),
        );
        const pulse = new Pulse(endpoint);
        for (const [way, watch] of wanted) {
          const [ours, peers]: [Sample[], Sample[]] = [[], []];
          for (let run = 0; run < options.runs; run += 1) {
            ours.push(await pulse.sample(steady, watch));
            peers.push(await pulse.sample(idle, watch));
          }
          const p99 = Math.max(...ours.map(({ p99Ms }) => p99Ms));
          report(
            measured({
              name: nameOf(way),
              unit: 'ms',
              ours: ours.map(({ p50Ms }) => p50Ms),
              peer: { label: `at ${idle.label}`, values: peers.map(({ p50Ms }) => p50Ms) },
              limit: { of: 'ours', is: 'at most', value: p50LimitMs },
              remark: `p50; greatest p99 ${p99.toFixed(1)} ms`,
              details: { ours, peers },
            }),
          );
        }
      }),
    );
  },
};

function nameOf(way: string): string {
  return `${way} at ${steady.label}`;
}

type Sample = {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The writer may not have kept up. */
  readonly changesPerSecond: number;
};

/** Transactions that are numbered for ever. */
class Pulse {
  readonly #endpoint: CaptureEndpoint;
  #next = 1;

  constructor(endpoint: CaptureEndpoint) {
    this.#endpoint = endpoint;
  }

  async sample(load: Load, watch: Watch): Promise<Sample> {
    const first = this.#next;
    const seenAt: number[] = [];
    const stopped = new AbortController();
    let lastSeen = first - 1;
    const watching = watch(
      this.#endpoint,
      (number) => {
        const now = performance.now();
        // Changes come in the order of commits: who has the last one could have had the others.
        for (; lastSeen < number; lastSeen += 1) seenAt.push(now);
      },
      stopped.signal,
    );
    const from = performance.now();
    const committedAt = await withClient(this.#endpoint.directUrl, (client) =>
      this.#write(client, load),
    );
    const seconds = (performance.now() - from) / 1000;
    const end = performance.now() + patienceMs;
    while (lastSeen < this.#next - 1 && performance.now() < end) await delay(1);
    stopped.abort();
    await watching;
    if (lastSeen < this.#next - 1) throw new Error(`change ${lastSeen + 1} was never seen`);
    const waits = committedAt.map((at, index) => seenAt[index]! - at);
    return {
      p50Ms: quantile(waits, 0.5),
      p99Ms: quantile(waits, 0.99),
      changesPerSecond: (committedAt.length * load.rows) / seconds,
    };
  }

  /** When each transaction had been committed, as its client knows. */
  async #write(client: Client, load: Load): Promise<readonly number[]> {
    const committedAt: number[] = [];
    const count = (writingMs / 1000) * load.transactionsPerSecond;
    const from = performance.now();
    for (let index = 0; index < count; index += 1) {
      const wait = from + (index * 1000) / load.transactionsPerSecond - performance.now();
      if (wait > 0) await delay(wait);
      await client.query({
        name: 'pulse',
        text: 'INSERT INTO pulse SELECT $1, n FROM generate_series(1, $2::int) AS n',
        values: [this.#next, load.rows],
      });
      this.#next += 1;
      committedAt.push(performance.now());
    }
    return committedAt;
  }
}

async function watchLog(
  { logDirectory, database }: CaptureEndpoint,
  saw: (number: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const reader = new LocalLogReader({ directory: logDirectory, database });
  try {
    const { epoch, endLsn } = await reader.bounds();
    let through = { epoch, lsn: endLsn, seq: 0 };
    let from: ReadForward['from'] = { kind: 'at', epoch, lsn: endLsn };
    while (!signal.aborted) {
      await reader.changed(through, signal);
      const wanted = { from, tables: 'all', schemaChanges: false, changesMax: batchMax } as const;
      const batch = await reader.read(wanted);
      const last = batch.changes.at(-1);
      if (last !== undefined) saw(Number(last.after?.[0]));
      through = batch.through;
      from = { kind: 'after', position: through };
    }
  } finally {
    await reader.close();
  }
}

async function watchShow(
  { url }: CaptureEndpoint,
  saw: (number: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await withClient(url, async (client) => {
    while (!signal.aborted) {
      const { rows } = await client.query<{ after: { number: number } }>(
        'SHOW CDC EVENTS FROM pulse LIMIT 1',
      );
      if (rows[0] !== undefined) saw(rows[0].after.number);
    }
  });
}
