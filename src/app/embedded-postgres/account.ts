import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

/** The operating system user that runs a Postgres server. */
export type Account = { readonly uid: number; readonly gid: number; readonly name: string };

const nobodyId = 65_534;

/**
 * Who has to run Postgres, or nothing when that is this process's own user. Postgres refuses to
 * run as root; `nobody` exists everywhere, so no account is made.
 */
export function accountForServer(): Account | undefined {
  return process.getuid?.() === 0 ? readNobody() : undefined;
}

/** A cluster made by somebody else stays theirs when root starts it. */
export function accountOfCluster(directory: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(directory);
  return uid === 0 ? readNobody() : { uid, gid, name: `with id ${uid}` };
}

/** What to give to `spawn` so that a process runs as this account. */
export function spawnIdentity(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** Asked of the kernel by trying, because mode bits do not know of access control lists. */
export function canReach(account: Account | undefined, directory: string): boolean {
  const tried = spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], {
    ...spawnIdentity(account),
    cwd: '/',
    stdio: 'ignore',
  });
  return tried.status === 0;
}

function readNobody(): Account {
  let line: string[] = [];
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    line = lines.find((text) => text.startsWith('nobody:'))?.split(':') ?? [];
  } catch {
    // Without a user database the number alone has to do.
  }
  return { uid: Number(line[2] ?? nobodyId), gid: Number(line[3] ?? nobodyId), name: 'nobody' };
}
