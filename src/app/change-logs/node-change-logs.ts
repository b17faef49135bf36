import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LocalLogReader } from '../../changelog/local-log-reader.ts';
import type { LogPlace } from '../../changelog/remote/reconnection.ts';
import { RemoteLogReader } from '../../changelog/remote/remote-log-reader.ts';
import type { ServedLog } from '../../changelog/remote/served-connection.ts';
import type { ChangeLogs } from '../../contracts/change-logs.ts';
import { noLog } from '../../core/errors/change-log.ts';
import { logNodeSilent, logOwnerUnknown } from '../../core/errors/log-stream.ts';
import { parseAddress } from '../config/address.ts';
import type { Upstream } from '../config/upstream.ts';
import { changeLogDirectory } from './change-log-directory.ts';
import { CatalogOwnership, LogOwnership } from './log-ownership.ts';
import { NodeLogReader } from './node-log-reader.ts';

export type NodeChangeLogsOptions = {
  readonly dataDirectory: string;
  /** Those that are captured. */
  readonly databases: readonly string[];
  readonly upstream: Upstream;
  /** The id of this node. */
  readonly node: string;
};

/** The change logs of the captured databases, for the roles that read them. */
export class NodeChangeLogs implements ChangeLogs {
  readonly #logs: ReadonlyMap<string, NodeLogReader>;
  readonly #ownerships: readonly LogOwnership[];

  constructor(options: NodeChangeLogsOptions) {
    const opened = options.databases.map((database) => openLog(options, database, true));
    this.#logs = new Map(opened.map(({ database, reader }) => [database, reader]));
    this.#ownerships = opened.map(({ ownership }) => ownership);
  }

  of(database: string): NodeLogReader | undefined {
    return this.#logs.get(database);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.close()));
    await Promise.all(this.#ownerships.map((ownership) => ownership.close()));
  }
}

/** The logs on the disk of this node, for nodes that do not have them. */
export class ServedChangeLogs {
  readonly #logs: ReadonlyMap<string, ReturnType<typeof openLog>>;

  constructor(options: NodeChangeLogsOptions) {
    const opened = options.databases.map((database) => openLog(options, database, false));
    this.#logs = new Map(opened.map((log) => [log.database, log]));
  }

  of(database: string): ServedLog | undefined {
    const log = this.#logs.get(database);
    if (log === undefined) return undefined;
    const { reader, ownership } = log;
    return { reader, secret: () => ownership.secret().catch(() => undefined) };
  }

  async close(): Promise<void> {
    for (const { reader, ownership } of this.#logs.values()) {
      await reader.close();
      await ownership.close();
    }
  }
}

function openLog(
  { dataDirectory, upstream, node }: NodeChangeLogsOptions,
  database: string,
  readsOthers: boolean,
): {
  readonly database: string;
  readonly reader: NodeLogReader;
  readonly ownership: LogOwnership;
} {
  const directory = changeLogDirectory(dataDirectory, database);
  const source = new CatalogOwnership({ ...upstream, database });
  const ownership = new LogOwnership(database, source);
  const locate = (): Promise<LogPlace> => placeOf(ownership, database);
  const reader = new NodeLogReader({
    database,
    node,
    ownership,
    local: new LocalLogReader({ directory, database }),
    hasLocal: () => existsSync(join(directory, 'data.mdb')),
    remote: readsOthers ? new RemoteLogReader({ database, locate }) : undefined,
  });
  return { database, reader, ownership };
}

/** @throws PgError 55000, 08006 */
async function placeOf(ownership: LogOwnership, database: string): Promise<LogPlace> {
  const known = await ownership.known();
  if (known.kind === 'nobody') throw noLog(database);
  if (known.kind === 'unknown') throw logOwnerUnknown(database, known.cause);
  const { node, host, logAddress } = known;
  const address = logAddress === undefined ? undefined : parseAddress(logAddress);
  if (address === undefined) {
    throw logNodeSilent(`Node ${node}`, 'it has not said where its change log can be read');
  }
  return { node: `${node} ${host ?? ''}`, address, secret: () => ownership.secret() };
}
