import assert from 'node:assert/strict';
import { Client } from 'pg';
import { eventually } from '../../../app/eventually.ts';
import { CapturedDatabase } from '../../../testing/crash/captured-database.ts';

const patienceMs = 60_000;

/** A captured database with a node that delivers, and a table `orders`. */
export class ConnectedDatabase {
  readonly captured: CapturedDatabase;
  readonly client: Client;

  private constructor(captured: CapturedDatabase, client: Client) {
    this.captured = captured;
    this.client = client;
  }

  static async open(): Promise<ConnectedDatabase> {
    const captured = await CapturedDatabase.open({ flags: ['--roles', 'engine,connectors'] });
    const client = new Client({ connectionString: captured.url });
    await client.connect();
    await client.query('CREATE TABLE orders (id int PRIMARY KEY, note text)');
    await client.query('CREATE TABLE others (id int PRIMARY KEY)');
    return new ConnectedDatabase(captured, client);
  }

  /** `more`: further arguments, such as `tables => ...`. */
  async create(
    name: string,
    {
      type,
      options,
      more = '',
      by = this.client,
    }: {
      readonly type: string;
      readonly options: object;
      readonly more?: string;
      readonly by?: Client;
    },
  ): Promise<void> {
    const given = `options => '${JSON.stringify(options)}'`;
    await by.query(`CALL heliosdb.create_cdc_connector('${name}', '${type}', ${given} ${more})`);
  }

  async insert(from: number, to: number = from): Promise<void> {
    for (let id = from; id <= to; id += 1) {
      await this.client.query(`INSERT INTO orders VALUES (${id}, 'note ${id}')`);
    }
  }

  async shown(name: string): Promise<Record<string, unknown>> {
    const { rows } = await this.client.query<Record<string, unknown>>(
      'SELECT * FROM heliosdb.cdc_connectors WHERE connector = $1',
      [name],
    );
    return rows[0] ?? {};
  }

  /** Waits until what is shown of a connector fits. */
  async until(
    name: string,
    fits: (shown: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    let now: Record<string, unknown> = {};
    const has = await eventually(async () => {
      now = await this.shown(name);
      return fits(now);
    }, patienceMs);
    assert.ok(has, `${name}: ${JSON.stringify(now)}\n${this.captured.node.output.slice(-1_500)}`);
    return now;
  }

  async dropConnectors(): Promise<void> {
    const { rows } = await this.client.query<{ name: string }>(
      'SELECT name FROM heliosdb.connectors',
    );
    for (const { name } of rows) {
      await this.client.query(`CALL heliosdb.drop_cdc_connector('${name}')`);
    }
    await this.client.query('TRUNCATE orders, others');
  }

  async close(): Promise<void> {
    await this.client.end();
    await this.captured.close();
  }
}
