import { eventually } from '../../app/eventually.ts';
import { parseLsn } from '../../core/lsn.ts';
import { withClient } from '../../postgres/client.ts';
import { Random } from '../oracle/random.ts';
import { makeTestCluster, type TestCluster, type TestServer } from '../test-cluster.ts';
import { crashSettings } from './crash-settings.ts';
import { crashTables } from './crash-tables.ts';
import { LogVerifier } from './log-verifier.ts';
import { NodeUnderTest } from './node-under-test.ts';
import { RecordedSlot } from './recorded-slot.ts';
import { settlePrepared, Workload } from './workload.ts';

/** Where an engine is killed on purpose, and how often it may come by before. */
const failpointCounts: Readonly<Record<string, number>> = {
  'capture.receive': 3_000,
  'capture.append': 30,
  'capture.block': 30,
  'capture.written': 30,
  'capture.sync': 20,
  'capture.confirm': 40,
  'capture.spill': 10,
  'capture.index': 3,
  'capture.compact': 3,
  'capture.prepared': 1,
};

export const failpointNames: readonly string[] = Object.keys(failpointCounts);

export type CrashRunOptions = {
  readonly seed: number;
  /** Whether there is to be one more round, after that many. */
  readonly goesOn: (rounds: number) => boolean;
  readonly failpoints?: readonly string[];
  readonly writers?: number;
  readonly largeRows?: number;
  readonly say?: (line: string) => void;
  readonly trace?: (line: string) => void;
};

export type CrashReport = {
  readonly complaints: readonly string[];
  readonly rounds: number;
  readonly transactions: number;
  readonly changes: number;
  readonly kills: Readonly<Record<string, number>>;
  readonly failpointsHit: Readonly<Record<string, number>>;
  readonly failpointsMissed: readonly string[];
};

const patienceMs = 60_000;
const roundsBetweenRests = 6;

/**
 * Random writers on a server, a node that captures them, and kills of everything: then the log is
 * compared with what the server says. A run stops at the first difference.
 */
export class CrashRun {
  readonly #options: CrashRunOptions;
  readonly #random: Random;
  readonly #cluster: TestCluster;
  #server: TestServer;
  readonly #node: NodeUnderTest;
  readonly #workload: Workload;
  readonly #kills: Record<string, number> = {};
  readonly #hits: Record<string, number> = {};

  private constructor(
    options: CrashRunOptions,
    parts: { readonly cluster: TestCluster; readonly server: TestServer },
  ) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#cluster = parts.cluster;
    this.#server = parts.server;
    this.#node = new NodeUnderTest({ upstream: parts.server.url });
    const writers = options.writers ?? 4;
    this.#workload = new Workload({
      seed: options.seed,
      writers,
      largeRows: options.largeRows ?? 4_000,
      ddl: true,
      url: (number) => (number === writers - 1 ? this.#node.url : this.#server.url),
    });
  }

  static async run(options: CrashRunOptions): Promise<CrashReport> {
    const cluster = await makeTestCluster();
    const server = await cluster.start({ settings: crashSettings });
    const run = new CrashRun(options, { cluster, server });
    try {
      return await run.#rounds();
    } finally {
      await run.#workload.stop();
      await run.#node.remove();
      await run.#server.stop();
    }
  }

  async #rounds(): Promise<CrashReport> {
    const verifier = await this.#begin();
    const wanted = this.#random.shuffled(this.#options.failpoints ?? failpointNames);
    let rounds = 0;
    let complaints: readonly string[] = [];
    while (complaints.length === 0 && this.#options.goesOn(rounds)) {
      this.#workload.start();
      for (let n = 0; n < roundsBetweenRests && this.#options.goesOn(rounds); n += 1) {
        this.#options.trace?.(
          `round ${rounds}: ${wanted[rounds % (2 * wanted.length)] ?? 'random'}`,
        );
        await this.#round(wanted[rounds % (2 * wanted.length)]);
        rounds += 1;
        this.#options.trace?.('follow');
        if (this.#random.chance(0.3)) await verifier.follow();
        if (verifier.complaints.length > 0) break;
      }
      this.#options.trace?.('rest');
      await this.#workload.stop();
      await settlePrepared(this.#server.url, this.#random);
      complaints = await verifier.finish();
      this.#options.say?.(
        `${rounds} rounds, ${verifier.transactions} transactions, ${verifier.changes} changes`,
      );
    }
    const names = this.#options.failpoints ?? failpointNames;
    return {
      complaints: complaints.length === 0 ? [] : [...complaints, this.#node.output.slice(-2_000)],
      rounds,
      transactions: verifier.transactions,
      changes: verifier.changes,
      kills: this.#kills,
      failpointsHit: this.#hits,
      failpointsMissed: names.filter((name) => this.#hits[name] === undefined),
    };
  }

  async #begin(): Promise<LogVerifier> {
    await this.#node.start();
    await isStreaming(this.#server.url);
    const recorded = new RecordedSlot(() => this.#server.url);
    await recorded.create();
    const fromLsn = await withClient(this.#server.url, async (client) => {
      const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
      await client.query(crashTables);
      return parseLsn(rows[0]!.lsn) ?? 0n;
    });
    const directory = this.#node.logDirectory;
    return new LogVerifier({
      directory,
      url: () => this.#server.url,
      recorded,
      fromLsn,
      patienceMs,
    });
  }

  /** Something is killed while the writers go on. */
  async #round(failpoint: string | undefined): Promise<void> {
    await this.#workload.hasEnded(this.#workload.ended + this.#random.between(5, 80));
    if (failpoint !== undefined) {
      await this.#killAt(failpoint);
      return;
    }
    const what = this.#random.pick([
      'engine',
      'engine',
      'proxy',
      'server',
      'node',
      'while commits wait',
    ] as const);
    this.#kills[what] = (this.#kills[what] ?? 0) + 1;
    switch (what) {
      case 'engine':
      case 'proxy':
        await this.#node.kill(what);
        break;
      case 'server':
        await this.#server.kill();
        this.#server = await this.#cluster.start({
          port: this.#server.port,
          settings: crashSettings,
        });
        break;
      case 'while commits wait':
        await this.#killWhileCommitsWait();
        break;
      default:
        await this.#node.killAll();
        await this.#node.start();
    }
  }

  /** For a standby that never answers: logged already, and nobody sees them yet. */
  async #killWhileCommitsWait(): Promise<void> {
    const { url } = this.#server;
    await withClient(url, async (client) => {
      const set = async (how: string): Promise<void> => {
        await client.query(`ALTER SYSTEM ${how}`);
        await client.query('SELECT pg_reload_conf()');
      };
      await set("SET synchronous_standby_names = 'nobody'");
      const waiting = "pg_stat_activity WHERE wait_event = 'SyncRep'";
      const areSome = async (): Promise<boolean> => {
        const { rowCount } = await client.query(`SELECT FROM ${waiting}`);
        return (rowCount ?? 0) > 0;
      };
      await eventually(areSome, patienceMs);
      await this.#node.kill(this.#random.chance(0.7) ? 'engine' : 'proxy');
      // Some are told that they have waited in vain, the others that they need not wait.
      if (this.#random.chance(0.5))
        await client.query(`SELECT pg_cancel_backend(pid) FROM ${waiting}`);
      await set('RESET synchronous_standby_names');
    });
  }

  async #killAt(name: string): Promise<void> {
    if (this.#random.chance(0.5)) await this.#node.stop();
    else await this.#node.killAll();
    this.#node.forgetFailpoints();
    await this.#node.start(`${name}:${this.#random.between(1, failpointCounts[name] ?? 1)}`);
    const isHit = await eventually(() => this.#node.failpointsHit().includes(name), patienceMs);
    if (isHit) this.#hits[name] = (this.#hits[name] ?? 0) + 1;
    await this.#node.killAll();
    await this.#node.start();
  }
}

/** Resolves when the status says so; rejects with what it says instead. */
async function isStreaming(url: string): Promise<void> {
  let status: unknown;
  const isIt = await eventually(async () => {
    status = await statusOf(url).catch((error: unknown) => error);
    return (status as Record<string, unknown> | undefined)?.['state'] === 'streaming';
  }, patienceMs);
  if (!isIt) throw new Error(`capture does not stream: ${JSON.stringify(status)}`);
}

async function statusOf(url: string): Promise<Record<string, unknown> | undefined> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<Record<string, unknown>>(
      'SELECT * FROM heliosdb.cdc_status',
    );
    return rows[0];
  });
}
