import type { LogReader } from './log-reader.ts';

/** The change logs of the databases this node knows of. */
export interface ChangeLogs {
  /** Undefined for a database that is not captured. */
  of(database: string): LogReader | undefined;
}
