import { chmodSync, existsSync, mkdirSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { logUnusable } from '../core/errors/change-log.ts';
import { PgError } from '../core/errors/pg-error.ts';
import { checkFileHeader } from './file-header.ts';
import { type DatabaseName, databaseNames } from './format.ts';
import { closeInGate, openInGate } from './gate.ts';
import { asLogError } from './lmdb-error.ts';

export type BinaryDatabase = Database<Buffer, Buffer>;

/** An open log: the databases of `format.ts`. */
export type LogStore = Readonly<Record<DatabaseName, BinaryDatabase>> & {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly file: string;
};

export const dataFile = 'data.mdb';
const lockFile = 'lock.mdb';
/** There since a log has all of its databases, so that readers may open it. */
const completeFile = 'complete';

/** What is free beyond it is enough for a write to fail for another reason. */
const fullBelowBytes = 1024 * 1024;

const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;

/**
 * Opens a log for its one writer, making it when it is not there. The directory is for its owner
 * alone: it holds rows of tables whoever runs the node may not read elsewhere.
 */
export function openLogStore(directory: string): LogStore {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    const store = openInGate(directory, () => openDatabases(directory, false));
    writeFileSync(join(directory, completeFile), '');
    return store;
  } catch (error) {
    throw openingFailed(directory, error);
  }
}

/** Opens a log for reading; undefined while nobody has made it. */
export function openLogForReading(directory: string): LogStore | undefined {
  // Opening one that its writer is just making, and closing it again, ends the process.
  if (!existsSync(join(directory, completeFile))) return undefined;
  try {
    return openInGate(directory, () => openDatabases(directory, true));
  } catch (error) {
    throw openingFailed(directory, error);
  }
}

export function closeLogStore({ root, file }: LogStore): Promise<void> {
  return closeInGate(dirname(file), () => root.close());
}

function openingFailed(directory: string, cause: unknown): PgError {
  const error = asLogError(cause);
  return error instanceof PgError ? error : logUnusable(directory, error);
}

/** What the log takes on disk, free pages included, bytes. */
export function fileBytes(store: LogStore): number {
  return statSync(store.file).size;
}

/** Tells the files of a log from others that took their place; undefined while there are none. */
export function fileIdentity(directory: string): string | undefined {
  const data = statSync(join(directory, dataFile), { throwIfNoEntry: false });
  const lock = statSync(join(directory, lockFile), { throwIfNoEntry: false });
  return data === undefined ? undefined : `${data.ino} ${lock?.ino}`;
}

/** Whether there is no room for another chunk. */
export function isFileSystemFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize < fullBelowBytes;
  } catch {
    return false;
  }
}

function openDatabases(directory: string, readOnly: boolean): LogStore {
  const file = join(directory, dataFile);
  if (existsSync(file)) checkFileHeader(file);
  const root = open<Buffer, Buffer>({
    path: directory,
    maxDbs: databaseNames.length + 1,
    readOnly,
    ...binary,
  });
  try {
    const opened = databaseNames.map(
      (name) => [name, root.openDB<Buffer, Buffer>({ name, ...binary })] as const,
    );
    const databases = Object.fromEntries(opened) as Record<DatabaseName, BinaryDatabase>;
    return { ...databases, root, file };
  } catch (error) {
    void root.close();
    throw error;
  }
}
