import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { logUnusable } from '../core/errors/change-log.ts';
import { type DatabaseName, databaseNames } from './format.ts';

export type BinaryDatabase = Database<Buffer, Buffer>;

/** An open log: the databases of `format.ts`. */
export type LogStore = Readonly<Record<DatabaseName, BinaryDatabase>> & {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly file: string;
};

const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;

/**
 * Opens a log for its one writer, making it when it is not there. The directory is for its owner
 * alone: it holds rows of tables whoever runs the node may not read elsewhere.
 */
export function openLogStore(directory: string): LogStore {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    return openDatabases(directory, false);
  } catch (error) {
    throw logUnusable(directory, error);
  }
}

/** Opens a log for reading; undefined while nobody has made it. */
export function openLogForReading(directory: string): LogStore | undefined {
  if (!existsSync(join(directory, 'data.mdb'))) return undefined;
  try {
    return openDatabases(directory, true);
  } catch (error) {
    throw logUnusable(directory, error);
  }
}

/** What the log takes on disk, free pages included, bytes. */
export function fileBytes(store: LogStore): number {
  return statSync(store.file).size;
}

function openDatabases(directory: string, readOnly: boolean): LogStore {
  const root = open<Buffer, Buffer>({
    path: directory,
    maxDbs: databaseNames.length + 1,
    readOnly,
    ...binary,
  });
  const opened = databaseNames.map(
    (name) => [name, root.openDB<Buffer, Buffer>({ name, ...binary })] as const,
  );
  const databases = Object.fromEntries(opened) as Record<DatabaseName, BinaryDatabase>;
  return { ...databases, root, file: join(directory, 'data.mdb') };
}
