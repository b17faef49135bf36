import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { orphanNotStopped } from '../../core/errors/configuration.ts';
import { eventually } from '../eventually.ts';
import { postgresStopMax } from '../limits.ts';
import { commandOf, isAlive } from '../process-table.ts';

/**
 * Clears what a killed supervisor or a killed Postgres left on a data directory: a server that
 * still runs is stopped, a pid file that names no such server is removed. The caller holds the
 * lock of the data directory, so whatever runs there is nobody's.
 */
export async function clearLeftovers(directory: string): Promise<void> {
  const file = join(directory, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  if (Number.isNaN(pid)) return;
  if (isPostgresOn(pid, directory)) {
    await stopOrphan(pid, directory);
    return;
  }
  // After a restart of a container the number may belong to any process, and Postgres would take
  // that for a running server. Its own backends may outlive it for a moment: then it has to decide.
  if (processesWorkingIn(directory).length === 0) await rm(file, { force: true });
}

/** A postmaster, not one of its backends: those show a title instead of their arguments. */
function isPostgresOn(pid: number, directory: string): boolean {
  if (!isAlive(pid)) return false;
  const command = commandOf(pid);
  const at = command.indexOf('-D');
  const named = command[at + 1];
  if (at < 0 || named === undefined || !/postgres$/.test(command[0] ?? '')) return false;
  try {
    return realpathSync(named) === realpathSync(directory);
  } catch {
    return false;
  }
}

async function stopOrphan(pid: number, directory: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    process.kill(pid, signal);
    if (await eventually(() => !isAlive(pid), postgresStopMax)) return;
  }
  throw orphanNotStopped(pid, directory);
}

/** Only Linux tells; elsewhere Postgres's own check of its shared memory has to do. */
function processesWorkingIn(directory: string): number[] {
  let entries: string[] = [];
  try {
    entries = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  } catch {
    return [];
  }
  const target = realpathSync(directory);
  return entries.map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === target;
    } catch {
      return false;
    }
  });
}
