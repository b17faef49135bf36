import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeLogDirectory } from '../../app/change-logs/change-log-directory.ts';
import { eventually } from '../../app/eventually.ts';
import { isAlive } from '../../app/process-table.ts';
import { childrenOf, roleProcesses, signal } from '../process-tree.ts';
import { startEndpoint, type TestEndpoint } from '../test-endpoint.ts';

const patienceMs = 30_000;

export type NodeOptions = {
  readonly upstream: string;
  readonly flags?: readonly string[];
  /** Kept and not removed when given. */
  readonly dataDirectory?: string;
};

/** A `heliosdb start` that captures, whose parts can be killed, also at failpoints. */
export class NodeUnderTest {
  readonly #options: NodeOptions;
  readonly directory: string;
  #endpoint: TestEndpoint | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.directory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'heliosdb-test-'));
  }

  get logDirectory(): string {
    return changeLogDirectory(this.directory, new URL(this.#options.upstream).pathname.slice(1));
  }

  /** Through its proxy; to the server itself while there is none. */
  get url(): string {
    const url = new URL(this.#options.upstream);
    if (this.#endpoint === undefined || this.#endpoint.port === 0) return url.href;
    url.port = String(this.#endpoint.port);
    return url.href;
  }

  get redisPort(): number {
    return this.#endpoint?.redisPort ?? 0;
  }

  get output(): string {
    return this.#endpoint?.output() ?? '';
  }

  get enginePid(): number | undefined {
    return this.#pids('engine')[0];
  }

  /** `failpoints`: what `HELIOSDB_FAILPOINTS` is to be. */
  async start(failpoints = ''): Promise<void> {
    mkdirSync(this.directory, { recursive: true });
    this.#endpoint = await startEndpoint({
      upstream: this.#options.upstream,
      dataDirectory: this.directory,
      flags: ['--capture', 'on', ...(this.#options.flags ?? ['--roles', 'engine,proxy'])],
      environment: { HELIOSDB_FAILPOINTS: failpoints, HELIOSDB_FAILPOINT_LOG: this.#failpointLog },
    });
  }

  /** The failpoints at which its engine has ended, as often as it has. */
  failpointsHit(): string[] {
    try {
      return readFileSync(this.#failpointLog, 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  }

  forgetFailpoints(): void {
    rmSync(this.#failpointLog, { force: true });
  }

  /** SIGKILL to the process of a role; resolves when another one runs. */
  async kill(role: 'engine' | 'proxy'): Promise<void> {
    const [pid] = this.#pids(role);
    if (pid === undefined) return;
    signal(pid, 'SIGKILL');
    await eventually(() => {
      const [now] = this.#pids(role);
      return now !== undefined && now !== pid;
    }, patienceMs);
  }

  /** SIGKILL to all of it. */
  async killAll(): Promise<void> {
    const supervisor = this.#endpoint?.child.pid;
    if (supervisor === undefined) return;
    const pids = [supervisor, ...childrenOf(supervisor)];
    for (const pid of pids) signal(pid, 'SIGKILL');
    await eventually(() => !pids.some(isAlive), patienceMs);
    this.#endpoint = undefined;
  }

  async stop(): Promise<void> {
    await this.#endpoint?.stop();
    this.#endpoint = undefined;
  }

  async remove(): Promise<void> {
    await this.killAll();
    if (this.#options.dataDirectory !== undefined) return;
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #failpointLog(): string {
    return join(this.directory, 'failpoints');
  }

  #pids(role: string): number[] {
    const supervisor = this.#endpoint?.child.pid;
    return supervisor === undefined ? [] : roleProcesses(supervisor, role);
  }
}
