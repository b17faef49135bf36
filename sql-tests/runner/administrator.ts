import { type Address, WireConnection } from './wire/connection.ts';

export type Login = Address & { readonly user: string; readonly database: string };

/** Opens a session and reads everything up to its first ReadyForQuery. */
export async function logIn(
  login: Login,
  parameters: ReadonlyMap<string, string> = new Map(),
): Promise<{ connection: WireConnection; greeting: Awaited<ReturnType<WireConnection['until']>> }> {
  const connection = await WireConnection.open(login);
  const { user, database } = login;
  connection.send(
    connection.write.startup(new Map([['user', user], ['database', database], ...parameters])),
  );
  const greeting = await connection.until(
    ({ kind }) => kind === 'ReadyForQuery' || kind === 'ErrorResponse' || kind === 'Other',
  );
  return { connection, greeting };
}

/** A plain connection to Postgres itself, for what the runner needs to do or know. */
export class Administrator {
  readonly #connection: WireConnection;

  private constructor(connection: WireConnection) {
    this.#connection = connection;
  }

  static async open(login: Login): Promise<Administrator> {
    const { connection, greeting } = await logIn(login);
    const last = greeting.at(-1);
    if (last?.kind !== 'ReadyForQuery') {
      const reason =
        last?.kind === 'ErrorResponse' ? last.fields.get('M') : 'it asks for a password';
      throw new Error(`no session with ${login.host}:${login.port}/${login.database}: ${reason}`);
    }
    return new Administrator(connection);
  }

  /** The rows of one query as texts. */
  async rows(sql: string): Promise<(string | null)[][]> {
    this.#connection.send(this.#connection.write.query(sql));
    const messages = await this.#connection.until(({ kind }) => kind === 'ReadyForQuery');
    for (const message of messages) {
      if (message.kind === 'ErrorResponse') throw new Error(`${message.fields.get('M')}: ${sql}`);
    }
    return messages.flatMap((message) =>
      message.kind === 'DataRow' ? [message.values.map((value) => value?.toString() ?? null)] : [],
    );
  }

  close(): void {
    this.#connection.close();
  }
}
