import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { embeddedStartFailed } from '../../core/errors/configuration.ts';
import { freePort } from '../free-port.ts';
import {
  pollIntervalMs,
  postgresLeftoversMax,
  postgresLogBytesMax,
  postgresPortAttemptsMax,
  postgresStartMax,
  postgresStopMax,
} from '../limits.ts';
import { spawnIdentity } from './account.ts';
import { binary, type PostgresBinaries } from './binaries.ts';
import type { Cluster } from './cluster.ts';

export type PostgresOptions = {
  readonly cluster: Cluster;
  readonly binaries: PostgresBinaries;
  readonly logFile: string;
  /** Tried first; another free one is taken when somebody has it. */
  readonly port?: number;
  /** Server settings beyond those every server of ours has. */
  readonly settings?: Readonly<Record<string, string>>;
};

/** A running server. `exited` resolves once, however it ends. */
export type PostgresProcess = {
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<string>;
  /** Fast shutdown: sessions are ended, the data is left clean. */
  stop(): Promise<void>;
  /** Lets this process end before the server does. */
  unref(): void;
};

/** Starts Postgres on 127.0.0.1 and returns when it accepts connections. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresProcess> {
  putAsideLargeLog(options.logFile);
  const leftoversEnd = performance.now() + postgresLeftoversMax;
  let port = options.port ?? (await freePort('127.0.0.1'));
  let portAttempts = 1;
  for (;;) {
    const logOffset = sizeOf(options.logFile);
    const child = spawnServer(options, port);
    const outcome = await readyOrExited(child, options.cluster.directory);
    if (outcome === 'ready') return running(child, port);
    if (outcome === 'late') child.kill('SIGQUIT');
    const complaint = fatalLines(options.logFile, logOffset);
    if (/could not bind|Address already in use/i.test(complaint)) {
      if (portAttempts++ < postgresPortAttemptsMax) {
        port = await freePort('127.0.0.1');
        continue;
      }
    } else if (/shared memory block/.test(complaint) && performance.now() < leftoversEnd) {
      // The backends of a killed server notice its end within moments.
      await delay(10 * pollIntervalMs);
      continue;
    }
    const detail = complaint || `It ${outcome === 'late' ? 'took too long' : outcome}.`;
    throw embeddedStartFailed(detail, options.logFile);
  }
}

function spawnServer(options: PostgresOptions, port: number): ChildProcess {
  const settings: Record<string, string> = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    wal_level: 'logical',
    ...options.settings,
  };
  const args = ['-D', options.cluster.directory];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    return spawn(binary(options.binaries, 'postgres'), args, {
      ...spawnIdentity(options.cluster.account),
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
      stdio: ['ignore', log, log],
      // Ctrl-C in a terminal reaches the whole process group; the server has to outlive the drain.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

type Outcome = 'ready' | 'late' | string;

/** Watches the status line of the pid file, as pg_ctl does. */
async function readyOrExited(child: ChildProcess, directory: string): Promise<Outcome> {
  let exit: string | undefined;
  child.once('error', (error) => {
    exit = `could not be run: ${error.message}`;
  });
  child.once('exit', (code, signal) => {
    exit = `exited with ${signal ?? code}`;
  });
  const end = performance.now() + postgresStartMax;
  while (exit === undefined) {
    const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '');
    const lines = text.split('\n');
    const serves = ['ready', 'standby'].includes(lines[7]?.trim() ?? '');
    if (lines[0] === String(child.pid) && serves) return 'ready';
    if (performance.now() > end) return 'late';
    await delay(pollIntervalMs);
  }
  return exit;
}

function running(child: ChildProcess, port: number): PostgresProcess {
  const exited = new Promise<string>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve('exited');
    child.once('exit', (code, signal) => resolve(`exited with ${signal ?? code}`));
  });
  return {
    port,
    pid: child.pid ?? 0,
    exited,
    async stop() {
      child.kill('SIGINT');
      const impatient = setTimeout(() => child.kill('SIGQUIT'), postgresStopMax);
      await exited;
      clearTimeout(impatient);
    },
    unref: () => child.unref(),
  };
}

function putAsideLargeLog(file: string): void {
  if (sizeOf(file) > postgresLogBytesMax) renameSync(file, `${file}.1`);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** What the server said went wrong since it was started. */
function fatalLines(file: string, offset: number): string {
  const length = Math.min(Math.max(sizeOf(file) - offset, 0), 64 * 1024);
  const bytes = Buffer.alloc(length);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, bytes, 0, length, offset);
  } finally {
    closeSync(descriptor);
  }
  const wanted = /\b(?:FATAL|PANIC|LOG: {2}could not|HINT|error while loading)\b/;
  const lines = bytes.toString('utf8').split('\n');
  return lines.filter((line) => wanted.test(line)).join(' ');
}
