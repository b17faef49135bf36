import type { Client, QueryArrayConfig } from 'pg';
import { connect, connectTo } from './client.ts';
import { type ConnectionTarget, connectTimeoutMs } from './connection-target.ts';

/** Values as Postgres printed them. */
export type TextRow = readonly (string | null)[];

/**
 * What the text of a value depends on, as the replication session has it too, so that a row that
 * was read and a row that was captured are the same text. Set by statements and not at startup:
 * poolers refuse startup options, and these also win over ALTER ROLE SET.
 */
const pinnedSettings: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  extra_float_digits: '3',
  timezone: 'UTC',
  bytea_output: 'hex',
  // Names that are not qualified would otherwise mean what the role's own settings say.
  search_path: '',
  // A policy that hides rows would make an incomplete copy without a word; so it is an error.
  row_security: 'off',
  idle_in_transaction_session_timeout: '0',
};

const asText: NonNullable<QueryArrayConfig['types']> = {
  getTypeParser: () => (value: string) => value,
} as unknown as NonNullable<QueryArrayConfig['types']>;

/** A connection on which every value is text, the same text whatever the role's settings are. */
export class TextSession {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Runs exactly one statement. */
  async query(text: string, values: readonly unknown[] = []): Promise<readonly TextRow[]> {
    const config: QueryArrayConfig & { readonly queryMode: 'extended' } = {
      text,
      values: [...values],
      rowMode: 'array',
      types: asText,
      // The simple protocol would run several statements where one was meant.
      queryMode: 'extended',
    };
    const { rows } = await this.#client.query<(string | null)[]>(config);
    return rows;
  }

  /** Never rejects: what is closed needs no more from it. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }
}

export async function openTextSession(target: string | ConnectionTarget): Promise<TextSession> {
  const client =
    typeof target === 'string'
      ? await connect({
          connectionString: target,
          application_name: 'heliosdb',
          connectionTimeoutMillis: connectTimeoutMs,
        })
      : await connectTo(target, target.password ?? '');
  const session = new TextSession(client);
  try {
    const settings = Object.entries(pinnedSettings);
    const calls = settings.map(([name, value]) => `set_config('${name}', '${value}', false)`);
    await session.query(`SELECT ${calls.join(', ')}`);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
