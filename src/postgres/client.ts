import { Client, type ClientConfig } from 'pg';
import { type ConnectionTarget, clientConfig, encryptionAttempts } from './connection-target.ts';

/** Runs some statements on a connection of their own, which is closed afterwards in any case. */
export async function withClient<T>(
  target: string | ConnectionTarget,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client =
    typeof target === 'string'
      ? await connect({ connectionString: target, application_name: 'heliosdb' })
      : await connectTo(target, target.password ?? '');
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** `password` may be a function that is called only when the server asks for one. */
export async function connectTo(
  target: ConnectionTarget,
  password: string | (() => string),
): Promise<Client> {
  const attempts = encryptionAttempts(target);
  for (const [index, encrypted] of attempts.entries()) {
    try {
      return await connect({ ...clientConfig(target, encrypted), password });
    } catch (error) {
      const isLast = index === attempts.length - 1;
      if (isLast || !(error instanceof Error && /does not support SSL/.test(error.message))) {
        throw error;
      }
    }
  }
  throw new TypeError('no way to connect was named');
}

export async function connect(config: ClientConfig): Promise<Client> {
  const client = new Client(config);
  // A connection that breaks while idle is reported by the next query; nobody else listens.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return client;
}
