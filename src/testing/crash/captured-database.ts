import assert from 'node:assert/strict';
import { eventually } from '../../app/eventually.ts';
import { LocalLogReader } from '../../changelog/local-log-reader.ts';
import type { Change } from '../../contracts/change.ts';
import type { LogReader } from '../../contracts/log-reader.ts';
import { parseLsn } from '../../core/lsn.ts';
import { withClient } from '../../postgres/client.ts';
import { readToEnd } from '../read-to-end.ts';
import { makeTestCluster, type TestCluster, type TestServer } from '../test-cluster.ts';
import { crashSettings } from './crash-settings.ts';
import { NodeUnderTest } from './node-under-test.ts';

export const patienceMs = 30_000;

export type StatusRow = {
  readonly state: string;
  readonly epoch: number;
  readonly error: string | null;
  readonly error_code: string | null;
  readonly hint: string | null;
  readonly slot: string | null;
  readonly node: string | null;
  readonly log_start: string | null;
  readonly log_end: string | null;
  readonly changes: string | null;
};

export type CapturedDatabaseOptions = {
  readonly settings?: Readonly<Record<string, string>>;
  /** Of the node; nothing is started when undefined is given for `node`. */
  readonly flags?: readonly string[];
  readonly role?: string;
  readonly database?: string;
};

/** A server of its own and a node that captures a database of it. */
export class CapturedDatabase {
  readonly cluster: TestCluster;
  readonly node: NodeUnderTest;
  #server: TestServer;
  readonly #settings: Readonly<Record<string, string>>;

  private constructor(
    parts: { readonly cluster: TestCluster; readonly server: TestServer },
    options: CapturedDatabaseOptions,
  ) {
    this.cluster = parts.cluster;
    this.#server = parts.server;
    this.#settings = { ...crashSettings, ...options.settings };
    const upstream = this.urlOf(options.database ?? 'postgres', options.role);
    this.node = new NodeUnderTest({ upstream, flags: options.flags ?? ['--roles', 'engine'] });
  }

  /** The node is not started. */
  static async make(options: CapturedDatabaseOptions = {}): Promise<CapturedDatabase> {
    const cluster = await makeTestCluster();
    const server = await cluster.start({ settings: { ...crashSettings, ...options.settings } });
    return new CapturedDatabase({ cluster, server }, options);
  }

  /** It captures already. */
  static async open(options: CapturedDatabaseOptions = {}): Promise<CapturedDatabase> {
    const opened = await CapturedDatabase.make(options);
    await opened.node.start();
    await opened.is('streaming');
    return opened;
  }

  get url(): string {
    return this.#server.url;
  }

  urlOf(database: string, role?: string): string {
    const url = new URL(this.#server.url);
    url.pathname = `/${database}`;
    if (role !== undefined) url.username = role;
    return url.href;
  }

  /** The same on a node of its own. */
  anotherNode(flags: readonly string[] = ['--roles', 'engine']): NodeUnderTest {
    return new NodeUnderTest({ upstream: this.url, flags });
  }

  async sql(text: string, url: string = this.url): Promise<Record<string, unknown>[]> {
    return withClient(url, async (client) => {
      const result = await client.query<Record<string, unknown>>(text);
      return result.rows ?? [];
    });
  }

  async killServer(): Promise<void> {
    await this.#server.kill();
    await this.startServer();
  }

  async stopServer(): Promise<void> {
    await this.#server.stop();
  }

  async startServer(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#server = await this.cluster.start({
      port: this.#server.port,
      settings: { ...this.#settings, ...settings },
    });
  }

  async status(url: string = this.url): Promise<StatusRow> {
    const [row] = await this.sql(
      `SELECT s.state, s.epoch, s.error, s.hint, s.slot, s.node,
              s.log_start, s.log_end, s.changes,
              (SELECT error_code FROM heliosdb.capture_status) FROM heliosdb.cdc_status AS s`,
      url,
    );
    return row as StatusRow;
  }

  /** Waits for a status that fits. */
  async until(
    fits: (status: StatusRow) => boolean,
    what: string,
    url: string = this.url,
  ): Promise<StatusRow> {
    let status: StatusRow | undefined;
    const found = await eventually(async () => {
      status = await this.status(url).catch(() => undefined);
      return status !== undefined && fits(status);
    }, patienceMs);
    assert.ok(found, `${what}: ${JSON.stringify(status)}\n${this.node.output.slice(-1_500)}`);
    return status!;
  }

  is(state: string, url: string = this.url): Promise<StatusRow> {
    return this.until((status) => status.state === state, `is not ${state}`, url);
  }

  /** Waits for an error of that SQLSTATE with a hint. */
  async fails(code: string, url: string = this.url): Promise<StatusRow> {
    const status = await this.until((row) => row.error_code === code, `no ${code}`, url);
    assert.ok(status.hint, `${status.error} has no hint`);
    return status;
  }

  /** The log that a node writes. */
  logOf(node: NodeUnderTest = this.node): LocalLogReader {
    return new LocalLogReader({ directory: node.logDirectory, database: 'postgres' });
  }

  /** Waits until a log has everything that is committed now. */
  async settled(reader: LogReader, url: string = this.url): Promise<void> {
    const [row] = await this.sql('SELECT pg_current_wal_flush_lsn() AS lsn', url);
    const lsn = parseLsn(String(row?.['lsn'])) ?? 0n;
    let end = 0n;
    const isThere = await eventually(async () => {
      end = await reader.bounds().then(
        (bounds) => bounds.endLsn,
        () => 0n,
      );
      return end >= lsn;
    }, patienceMs);
    assert.ok(isThere, `the log is at ${end}, not at ${lsn}\n${this.node.output.slice(-1_500)}`);
  }

  /** What the log of a node has of everything that is committed now. */
  async changes(node: NodeUnderTest = this.node, url: string = this.url): Promise<Change[]> {
    const reader = this.logOf(node);
    try {
      await this.settled(reader, url);
      return (await readToEnd(reader, { kind: 'start' })).changes;
    } finally {
      await reader.close();
    }
  }

  /** First values of the rows that were inserted into a table. */
  async inserted(table: string, node: NodeUnderTest = this.node): Promise<string[]> {
    const changes = await this.changes(node);
    return changes
      .filter((change) => change.table?.name === table && change.operation === 'INSERT')
      .map(({ after }) => String(after?.[0]));
  }

  async close(): Promise<void> {
    await this.node.remove();
    await this.#server.stop();
  }
}
