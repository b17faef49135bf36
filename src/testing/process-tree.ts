import { spawnSync } from 'node:child_process';
import { commandOf } from '../app/process-table.ts';

/** The processes that a process has started itself. */
export function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [parent, child] = line.trim().split(/\s+/).map(Number);
    return parent === pid && child !== undefined ? [child] : [];
  });
}

/** Those of them that run a role of a node. */
export function roleProcesses(supervisor: number, role: string): number[] {
  return childrenOf(supervisor).filter((pid) =>
    commandOf(pid).some((argument) => argument.endsWith(`${role}-role.js`)),
  );
}

/** A process that has ended meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
