import pg from 'pg';
import type { TableVersion } from '../../contracts/change.ts';
import type { LogReader } from '../../contracts/log-reader.ts';
import { rewrite } from '../../lowering/rewrite.ts';
import { MemoryLog } from '../../testing/memory-log.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { proxyUnderTest, type Witness } from './proxy-under-test.ts';
import { cancelRequest } from './startup.ts';
import { WireClient } from './wire-client.ts';

/** What the proxy calls of schema heliosdb; `captured` stands for the slot. */
const schema = `
CREATE SCHEMA heliosdb;
GRANT USAGE ON SCHEMA heliosdb TO PUBLIC;
CREATE TABLE heliosdb.captured (lsn pg_lsn, wish text);
INSERT INTO heliosdb.captured VALUES ('0/0', 'undecided');
GRANT SELECT ON heliosdb.captured TO PUBLIC;
CREATE FUNCTION heliosdb.capture_wish() RETURNS text LANGUAGE sql
  AS 'SELECT wish FROM heliosdb.captured';
CREATE PROCEDURE heliosdb.enable_capture() LANGUAGE sql
  AS $$ UPDATE heliosdb.captured SET wish = 'on' $$;
CREATE PROCEDURE heliosdb.park(beyond pg_lsn) LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := clock_timestamp() + INTERVAL '1 second';
BEGIN
  WHILE clock_timestamp() < until LOOP
    IF (SELECT lsn FROM heliosdb.captured) > beyond THEN RETURN; END IF;
    COMMIT;
    PERFORM pg_sleep(0.01);
    COMMIT;
  END LOOP;
END $$;
CREATE TABLE kept (id int);
CREATE TABLE orders (id int PRIMARY KEY, total text);
GRANT SELECT, INSERT ON orders, kept TO PUBLIC;`;

/** A proxy before a database of its own, with a change log that a test writes. */
export class EventsUnderTest {
  readonly log: MemoryLog = new MemoryLog();
  readonly orders: TableVersion;
  readonly witness: Witness;
  readonly direct: pg.Client;
  readonly database: string;
  readonly #under: Awaited<ReturnType<typeof proxyUnderTest>>;

  private constructor(options: {
    readonly log: MemoryLog;
    readonly ordersOid: number;
    readonly direct: pg.Client;
    readonly database: string;
    readonly under: Awaited<ReturnType<typeof proxyUnderTest>>;
  }) {
    this.log = options.log;
    this.orders = options.log.table('orders', ['id', 'total'], 'public', options.ordersOid);
    this.direct = options.direct;
    this.database = options.database;
    this.witness = options.under.witness;
    this.#under = options.under;
  }

  /** @param reading what the proxy reads in place of the log itself */
  static async start(reading?: (log: MemoryLog) => LogReader): Promise<EventsUnderTest> {
    const postgres = await testPostgres();
    const database = await postgres.createDatabase();
    const direct = new pg.Client({ connectionString: postgres.url(database) });
    await direct.connect();
    await direct.query(schema);
    const { rows } = await direct.query("SELECT 'orders'::regclass::oid AS oid");
    const log = new MemoryLog();
    const reader = reading?.(log) ?? log;
    const under = await proxyUnderTest({
      rewriter: { rewrite },
      changeLogs: { of: (asked) => (asked === database ? reader : undefined) },
    });
    const ordersOid = Number(rows[0].oid);
    return new EventsUnderTest({ log, ordersOid, direct, database, under });
  }

  get proxy(): Awaited<ReturnType<typeof proxyUnderTest>>['proxy'] {
    return this.#under.proxy;
  }

  async stop(): Promise<void> {
    await this.#under.proxy.stop();
    await this.direct.end();
  }

  connect(startup?: Readonly<Record<string, string>>): Promise<WireClient> {
    return WireClient.connect(this.#under.address, { database: this.database, ...startup });
  }

  /** One transaction of inserts, and the word of it to whoever is parked. */
  async capture(...ids: readonly (string | number)[]): Promise<void> {
    const { log, orders } = this;
    log.commit(...ids.map((id) => [orders, 'INSERT', String(id), `of ${id}`] as const));
    await this.direct.query("UPDATE heliosdb.captured SET lsn = '0/0'::pg_lsn + $1::numeric", [
      String(log.endLsn),
    ]);
  }

  /** As a driver does it: on another connection, until that is closed. */
  async cancel(client: WireClient): Promise<void> {
    const canceller = await WireClient.connect(this.#under.address, 'silent');
    const key = client.received.find(({ type }) => type === 'K')?.body;
    canceller.send(cancelRequest(key));
    await canceller.ended();
  }

  /** Asks until the server says so. */
  async until(condition: string, ...values: unknown[]): Promise<void> {
    for (;;) {
      const { rows } = await this.direct.query(`SELECT ${condition} AS holds`, values);
      if (rows[0].holds === true) return;
    }
  }

  parked(pid: number): Promise<void> {
    return this.until(
      `EXISTS (SELECT FROM pg_stat_activity
                WHERE pid = $1 AND wait_event = 'PgSleep' AND query LIKE 'CALL heliosdb.park%')`,
      pid,
    );
  }

  gone(pid: number): Promise<void> {
    return this.until('NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)', pid);
  }
}

export function processIdOf(client: WireClient): number {
  return client.received.find(({ type }) => type === 'K')!.body.readInt32BE(0);
}

/** The value of a column of each DataRow, as text. */
export function columnOf(
  messages: readonly { type: string; body: Buffer }[],
  at: number,
): string[] {
  return messages
    .filter(({ type }) => type === 'D')
    .map(({ body }) => {
      let from = 2;
      for (let column = 0; ; column += 1) {
        const length = body.readInt32BE(from);
        if (column === at)
          return length < 0 ? 'NULL' : body.toString('utf8', from + 4, from + 4 + length);
        from += 4 + Math.max(0, length);
      }
    });
}
