import type { Change } from '../contracts/change.ts';
import type { ChangeAccess, VersionRights } from '../contracts/change-access.ts';
import type { LogReader } from '../contracts/log-reader.ts';
import type { Logger } from '../contracts/logger.ts';
import type { RedisMetrics } from '../contracts/redis-metrics.ts';
import type { PrintedChange } from '../protocol/changes/row-json.ts';

/** What of a change a client with these rights sees. */
export type EntryPrinter = (change: Change, rights: VersionRights) => PrintedChange;

export type CapturedDatabase = {
  readonly name: string;
  /** Undefined as long as there is no log to read. */
  readonly reader: LogReader | undefined;
};

/** What a client may see in each of the captured databases. */
export type AccessByDatabase = (database: string) => ChangeAccess;

/** Rejects with a PgError: of class 28 for a wrong password, anything else when it cannot be told. */
export type Authenticate = (user: string, password: string) => Promise<AccessByDatabase>;

/** What the endpoint is given by whoever starts it. */
export type RedisServices = {
  /** Asked for each command. The first one's keys do without a database. Never throws. */
  readonly databases: () => readonly CapturedDatabase[];
  readonly authenticate: Authenticate;
  /** Whose password `AUTH password`, and any client that names the user `default`, gives. */
  readonly defaultUser: string;
  /** What a client may see before it has authenticated; undefined: it has to. */
  readonly openAccess: AccessByDatabase | undefined;
  readonly printEntry: EntryPrinter;
  readonly metrics: RedisMetrics;
  readonly logger: Logger;
};
