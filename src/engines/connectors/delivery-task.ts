import type { ChangeAccess } from '../../contracts/change-access.ts';
import type { LogReader } from '../../contracts/log-reader.ts';
import type { Logger } from '../../contracts/logger.ts';
import type { ConnectionTarget } from '../../postgres/connection-target.ts';

/** What is needed to deliver the changes of one database. */
export type DeliveryTask = {
  readonly target: ConnectionTarget;
  /** The id of this node. */
  readonly node: string;
  readonly reader: LogReader;
  readonly accessOf: (role: string) => ChangeAccess;
  /** Files of secrets that statements may name. */
  readonly secretsDirectory: string;
  readonly logger: Logger;
};
