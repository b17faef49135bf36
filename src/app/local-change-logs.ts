import { LocalLogReader } from '../changelog/local-log-reader.ts';
import type { ChangeLogs } from '../contracts/change-logs.ts';
import type { LogReader } from '../contracts/log-reader.ts';
import { changeLogDirectory } from './change-log-directory.ts';

/** The change logs on the disk of this node. */
export function localChangeLogs(dataDirectory: string, databases: readonly string[]): ChangeLogs {
  const readers = new Map<string, LogReader>(
    databases.map((database) => [
      database,
      new LocalLogReader({ directory: changeLogDirectory(dataDirectory, database), database }),
    ]),
  );
  return { of: (database) => readers.get(database) };
}
