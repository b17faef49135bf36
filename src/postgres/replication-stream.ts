import type { Duplex } from 'node:stream';
import { Client, type ClientConfig } from 'pg';
import { type ConnectionTarget, clientConfig, encryptionAttempts } from './connection-target.ts';
import { asPgError } from './server-error.ts';
import { RecyclingSocket, type TakeChunk, takeChunks } from './socket-chunks.ts';

/** What the values of changes depend on: pinned, whatever the role or the database set. */
const pinnedSettings = [
  '-c datestyle=ISO',
  '-c intervalstyle=postgres',
  '-c extra_float_digits=3',
  '-c timezone=UTC',
  '-c bytea_output=hex',
  '-c statement_timeout=0',
  '-c idle_session_timeout=0',
].join(' ');

/** What a replication connection says about its server. */
export type ServerIdentity = {
  readonly systemId: string;
  readonly timeline: number;
  /** How far the WAL is written. */
  readonly walLsn: string;
  readonly database: string;
};

/** A branch of a server's history: the timeline that ended there. */
export type TimelineEnd = { readonly timeline: number; readonly endLsn: string };

/**
 * A connection in replication mode. The driver connects and asks questions; for the stream itself
 * its parser is taken off the socket, because it emits all messages of a chunk at once, while
 * capture has to wait between two of them, and costs three times ours (docs/decisions/0010).
 */
export class ReplicationConnection {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(target: ConnectionTarget): Promise<ReplicationConnection> {
    const attempts = encryptionAttempts(target);
    for (const [index, encrypted] of attempts.entries()) {
      try {
        return new ReplicationConnection(await connect(target, encrypted));
      } catch (error) {
        const isLast = index === attempts.length - 1;
        if (isLast || !/does not support SSL/.test(String(error))) throw asPgError(error);
      }
    }
    throw new TypeError('no way to connect was named');
  }

  async identify(): Promise<ServerIdentity> {
    const [row] = await this.#ask('IDENTIFY_SYSTEM');
    return {
      systemId: String(row?.['systemid']),
      timeline: Number(row?.['timeline']),
      walLsn: String(row?.['xlogpos']),
      database: String(row?.['dbname']),
    };
  }

  /** Where the timelines before this one ended, oldest first. */
  async history(timeline: number): Promise<readonly TimelineEnd[]> {
    if (timeline <= 1) return [];
    const [row] = await this.#ask(`TIMELINE_HISTORY ${timeline}`);
    const content = row?.['content'];
    const text = Buffer.isBuffer(content) ? content.toString('latin1') : String(content ?? '');
    return text.split('\n').flatMap((line) => {
      const match = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line);
      return match === null ? [] : [{ timeline: Number(match[1]), endLsn: match[2]! }];
    });
  }

  /** Makes a slot for pgoutput; answers from where it decodes. */
  async createSlot(name: string, options: { readonly failover: boolean }): Promise<string> {
    // The older form of the options is understood by every version, but knows nothing of failover.
    const how = options.failover ? "(SNAPSHOT 'nothing', FAILOVER true)" : 'NOEXPORT_SNAPSHOT';
    const [row] = await this.#ask(`CREATE_REPLICATION_SLOT "${name}" LOGICAL pgoutput ${how}`);
    return String(row?.['consistent_point']);
  }

  /**
   * Sends a START_REPLICATION. What comes then, messages of the wire protocol from the answer on,
   * goes to `take`; what the caller has to say goes to the socket, which it destroys in the end.
   */
  start(command: string, take: TakeChunk): Duplex {
    const { connection } = this.#client as unknown as {
      connection: { stream: Duplex; query(text: string): void };
    };
    const { stream } = connection;
    takeChunks(stream, take);
    stream.on('error', () => undefined);
    connection.query(command);
    return stream;
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  async #ask(command: string): Promise<readonly Record<string, unknown>[]> {
    try {
      return (await this.#client.query<Record<string, unknown>>(command)).rows;
    } catch (error) {
      throw asPgError(error);
    }
  }
}

async function connect(target: ConnectionTarget, encrypted: boolean): Promise<Client> {
  const config = {
    ...clientConfig(target, encrypted),
    password: target.password ?? '',
    application_name: 'heliosdb capture',
    client_encoding: 'UTF8',
    options: pinnedSettings,
    replication: 'database',
    ...(encrypted ? {} : { stream: () => new RecyclingSocket() }),
  };
  const client = new Client(config as ClientConfig);
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return client;
}
