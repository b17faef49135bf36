import type { ChangeLogs } from '../../contracts/change-logs.ts';
import type { LogFields, Logger } from '../../contracts/logger.ts';
import type { CloseReason, ProxyMetrics } from '../../contracts/proxy-metrics.ts';
import type { Rewriter } from '../../contracts/rewriter.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { type ProxyOptions, type ProxyServer, startProxy } from '../proxy-server.ts';

/** Everything the proxy said and counted, for a test to look at and to wait on. */
export class Witness implements ProxyMetrics, Logger {
  readonly logged: {
    readonly level: string;
    readonly message: string;
    readonly fields: unknown;
  }[] = [];
  readonly closed: CloseReason[] = [];
  readonly refused: string[] = [];
  opened = 0;
  lowered = 0;
  claimed = 0;
  workersLost = 0;
  readonly transferredBytes = { 'client-to-server': 0, 'server-to-client': 0 };
  #wake: (() => void)[] = [];

  /** Resolves when the fact holds; looked at after everything that is counted. */
  async until(fact: () => boolean): Promise<void> {
    while (!fact()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }
  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }
  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }
  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  connectionOpened(): void {
    this.opened++;
    this.#changed();
  }
  connectionClosed(reason: CloseReason): void {
    this.closed.push(reason);
    this.#changed();
  }
  transferred(direction: keyof Witness['transferredBytes'], bytes: number): void {
    this.transferredBytes[direction] += bytes;
    this.#changed();
  }
  statementsLowered(count: number): void {
    this.lowered += count;
  }
  statementRefused(code: string): void {
    this.refused.push(code);
  }
  statementClaimed(): void {
    this.claimed++;
    this.#changed();
  }
  parserWorkerLost(): void {
    this.workersLost++;
  }

  #log(level: string, message: string, fields: unknown): void {
    this.logged.push({ level, message, fields });
    this.#changed();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Nothing is captured. */
export const noChangeLogs: ChangeLogs = { of: () => undefined };

export const passingRewriter: Rewriter = { rewrite: async () => ({ kind: 'pass' }) };

/** A proxy in this process before the tests' Postgres. */
export async function proxyUnderTest(options?: Partial<ProxyOptions>): Promise<{
  readonly proxy: ProxyServer;
  readonly witness: Witness;
  readonly address: { readonly host: string; readonly port: number };
}> {
  const postgres = await testPostgres();
  const witness = new Witness();
  const proxy = await startProxy({
    listen: { host: '127.0.0.1', port: 0 },
    upstream: { host: postgres.host, port: postgres.port, tls: { mode: 'disable' } },
    rewriter: passingRewriter,
    changeLogs: noChangeLogs,
    metrics: witness,
    logger: witness,
    ...options,
  });
  return { proxy, witness, address: proxy.address };
}
