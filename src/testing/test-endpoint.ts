import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseReadyLine } from '../app/ready-line.ts';

export type TestEndpointOptions = {
  /** Of the database behind the endpoint; without it the endpoint starts its own. */
  readonly upstream?: string;
  /** Further flags of `heliosdb start`. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Kept when given; otherwise a directory of its own that is removed at the end. */
  readonly dataDirectory?: string;
};

/** A `heliosdb start` in a process of its own, on ports the system chose. */
export type TestEndpoint = {
  readonly host: string;
  readonly port: number;
  readonly redisPort: number;
  readonly httpPort: number;
  readonly metricsPort: number;
  readonly child: ChildProcess;
  /** Everything it has written so far. */
  output(): string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
};

const main = fileURLToPath(new URL('../app/main.js', import.meta.url));

/** Starts the real command and returns when it has said `heliosdb ready`. */
export async function startEndpoint(options: TestEndpointOptions): Promise<TestEndpoint> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      // A port that was free when it was chosen may be somebody else's a moment later.
      const isTaken = /is in use/.test(String(error)) && !options.flags?.includes('--listen');
      if (!isTaken || attempt === 3) throw error;
    }
  }
}

async function startOnce(options: TestEndpointOptions): Promise<TestEndpoint> {
  const dataDirectory = options.dataDirectory ?? temporaryDirectory();
  const anyPort = ['--listen', '--redis', '--http', '--metrics'].flatMap((flag) => [
    flag,
    '127.0.0.1:0',
  ]);
  const upstream = options.upstream === undefined ? [] : ['--upstream', options.upstream];
  const flags = [...anyPort, ...upstream, '--data', dataDirectory, ...(options.flags ?? [])];
  const child = spawn(process.execPath, [main, 'start', ...flags], {
    // What the tests' own environment says about an endpoint is not about this one.
    env: { ...withoutOwnVariables(process.env), ...options.environment },
    // The channel closes when this process ends, however it does, and the endpoint with it.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.channel?.unref();
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 0 : 1)));
  });
  void exited.then(() => {
    if (options.dataDirectory === undefined) {
      rmSync(dataDirectory, { recursive: true, force: true });
    }
  });
  let output = '';
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const ready = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      said += chunk;
      if (parseReadyLine(said) !== undefined) resolve();
    });
  });
  await Promise.race([ready, exited]);
  const addresses = parseReadyLine(said);
  assert.ok(addresses, `the endpoint ended before it was ready:\n${output}`);
  return {
    host: addresses.listen?.host ?? '127.0.0.1',
    port: addresses.listen?.port ?? 0,
    redisPort: addresses.redis?.port ?? 0,
    httpPort: addresses.http?.port ?? 0,
    metricsPort: addresses.metrics?.port ?? 0,
    child,
    output: () => output,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** One that the user who runs the embedded Postgres can reach. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'heliosdb-test-'));
  chmodSync(directory, 0o755);
  return directory;
}

function withoutOwnVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith('HELIOSDB_'));
  return Object.fromEntries(kept);
}
