import { type ChildProcess, fork } from 'node:child_process';
import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RoleName } from '../config/configuration.ts';
import { proxyProcessesStandardMax } from '../limits.ts';

/** How many when nobody says: one core is left to the database and the rest of the machine. */
export function proxyProcesses(cores: number = availableParallelism()): number {
  return Math.max(1, Math.min(cores - 1, proxyProcessesStandardMax));
}

/** What the supervisor was told by its environment reaches a role through its channel alone. */
const withoutSecrets = { HELIOSDB_UPSTREAM: undefined };

/**
 * Starts a process of a role. Several of one role share their port through the cluster module; one
 * alone listens itself, which saves each connection the way through the supervisor.
 */
export function spawnRole(role: RoleName, sharesPort: boolean): ChildProcess {
  const file = fileURLToPath(new URL(`../roles/${role}-role.js`, import.meta.url));
  // The flags of the supervisor's own node, such as an inspector port, are not for its children.
  if (!sharesPort) return fork(file, { execArgv: [], env: { ...process.env, ...withoutSecrets } });
  cluster.setupPrimary({ exec: file, args: [], execArgv: [] });
  return cluster.fork(withoutSecrets).process;
}
