import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  clusterInitialisationFailed,
  clusterMissing,
  clusterOfOtherMajor,
  clusterUnreachable,
  dataDirectoryUnusable,
  notACluster,
} from '../../core/errors/configuration.ts';
import {
  type Account,
  accountForServer,
  accountOfCluster,
  canReach,
  spawnIdentity,
} from './account.ts';
import { binary, type PostgresBinaries } from './binaries.ts';

const sharedRoot = '/var/lib/heliosdb';

/** A Postgres data directory and who runs it. */
export type Cluster = { readonly directory: string; readonly account: Account | undefined };

/**
 * Decides where the cluster of a data directory is: `DATA/postgres`, or, when the user that has to
 * run Postgres cannot get there (root's home), a directory of its own below /var/lib with a
 * symlink from `DATA/postgres`. Never below /tmp: it is user data.
 */
export async function placeCluster(
  dataDirectory: string,
  say: (line: string) => void,
): Promise<Cluster> {
  const path = join(dataDirectory, 'postgres');
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink()) {
    const target = await realpath(path).catch(() => undefined);
    if (target === undefined) throw clusterMissing(path, await readlink(path));
    return existingCluster(target);
  }
  if (found !== undefined) return existingCluster(path);
  await mkdir(dataDirectory, { recursive: true }).catch((error: unknown) => {
    throw dataDirectoryUnusable(dataDirectory, error);
  });
  const account = accountForServer();
  if (canReach(account, dataDirectory)) return { directory: path, account };
  const hash = createHash('sha256').update(await realpath(dataDirectory));
  const directory = join(sharedRoot, hash.digest('hex').slice(0, 16), 'postgres');
  await mkdir(dirname(directory), { recursive: true });
  await chmod(sharedRoot, 0o755);
  await chmod(dirname(directory), 0o755);
  const isThere = (await stat(directory).catch(() => undefined)) !== undefined;
  await symlink(directory, path);
  say(
    isThere
      ? `using the database found in ${directory} (remove it to begin with an empty one)`
      : `user ${account?.name} cannot reach ${dataDirectory}, the database is in ${directory}`,
  );
  return isThere ? existingCluster(directory) : { directory, account };
}

async function existingCluster(directory: string): Promise<Cluster> {
  const account = accountOfCluster(directory);
  if (!canReach(account, directory)) {
    throw clusterUnreachable(directory, account?.name ?? String(process.getuid?.()));
  }
  return { directory, account };
}

/**
 * Makes the cluster unless it is there. It is made beside its place and renamed, so that an
 * interrupted start leaves nothing that looks like a database.
 */
export async function initialiseCluster(options: {
  readonly cluster: Cluster;
  readonly binaries: PostgresBinaries;
  /** Off only for data that may be lost. */
  readonly sync: boolean;
}): Promise<void> {
  const { cluster, binaries } = options;
  if (await isInitialised(cluster.directory, binaries.major)) return;
  const partial = `${cluster.directory}.partial`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    if (cluster.account) await chown(partial, cluster.account.uid, cluster.account.gid);
  } catch (error) {
    throw dataDirectoryUnusable(dirname(cluster.directory), error);
  }
  const initdb = (args: string[]): Promise<void> =>
    run({ command: binary(binaries, 'initdb'), args, account: cluster.account, partial });
  // The built-in provider gives the same UTF-8 behaviour on every machine, whatever locales the
  // operating system has (https://www.postgresql.org/docs/18/locale.html#LOCALE-PROVIDERS). The tests start older
  // servers too, which do not have it.
  await initdb([
    `--pgdata=${partial}`,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    ...(binaries.major < 17 ? [] : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']),
    '--no-sync',
  ]);
  if (options.sync) await initdb([`--pgdata=${partial}`, '--sync-only']);
  await rename(partial, cluster.directory);
}

async function isInitialised(directory: string, major: number): Promise<boolean> {
  const version = await readFile(join(directory, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version !== undefined) {
    if (version.trim() === String(major)) return true;
    throw clusterOfOtherMajor(directory, version.trim(), major);
  }
  const entries = await readdir(directory).catch(() => undefined);
  if (entries === undefined) return false;
  if (entries.length > 0) throw notACluster(directory);
  await rmdir(directory);
  return false;
}

function run(options: {
  readonly command: string;
  readonly args: readonly string[];
  readonly account: Account | undefined;
  readonly partial: string;
}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(options.command, options.args, {
      ...spawnIdentity(options.account),
      cwd: '/',
      // initdb writes this zone into the settings, where it would otherwise write the machine's.
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-2_000);
    });
    const fail = (detail: string): void =>
      reject(clusterInitialisationFailed(dirname(options.partial), detail));
    child.on('error', (error) => fail(error.message));
    child.on('close', (code, signal) =>
      code === 0 ? resolve() : fail(stderr.trim() || `initdb ended with ${signal ?? code}`),
    );
  });
}
