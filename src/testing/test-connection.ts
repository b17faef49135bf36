import { Connection } from '../postgres/connection.ts';

/** A connection to a server of a test, by its URL. */
export function openTestConnection(url: string): Promise<Connection> {
  const { hostname, port, username, pathname } = new URL(url);
  return Connection.open({
    host: hostname,
    port: Number(port),
    user: username,
    password: undefined,
    database: pathname.slice(1),
    sslMode: 'disable',
    authority: undefined,
  });
}
