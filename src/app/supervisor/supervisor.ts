import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { CaptureReport } from '../../contracts/capture-metrics.ts';
import type { Logger } from '../../contracts/logger.ts';
import { cannotListen, upstreamNotServing } from '../../core/errors/configuration.ts';
import type { PgError } from '../../core/errors/pg-error.ts';
import type { PartState } from '../../http/node-view.ts';
import { isServing, probeUpstream } from '../../postgres/probe-upstream.ts';
import { adviseOn } from '../check/upstream-advice.ts';
import { type Address, isLoopback, printAddress } from '../config/address.ts';
import { type Configuration, embeddedDatabase, type RoleName } from '../config/configuration.ts';
import type { Upstream } from '../config/upstream.ts';
import { lockDataDirectory } from '../data-lock.ts';
import { openEmbeddedPostgres, postgresLogFile } from '../embedded-postgres/embedded-postgres.ts';
import { freePort } from '../free-port.ts';
import { postgresStopMax } from '../limits.ts';
import { knownNodeId, nodeIdOf } from '../node-identity.ts';
import type { NodeAddresses } from '../ready-line.ts';
import type { ConnectorsRoleConfiguration } from '../roles/connectors-role.ts';
import type { EngineRoleConfiguration } from '../roles/engine-role.ts';
import type { HttpRoleConfiguration } from '../roles/http-role.ts';
import type { ProxyRoleConfiguration } from '../roles/proxy-role.ts';
import type { RedisRoleConfiguration } from '../roles/redis-role.ts';
import { refuseOpenTrust } from './open-trust.ts';
import { refuseOwnEndpoint } from './own-endpoint.ts';
import { proxyProcesses, spawnRole } from './role-processes.ts';
import { SupervisedPostgres } from './supervised-postgres.ts';
import { SupervisedRole } from './supervised-role.ts';
import { knownCaptures, partOf } from './told-parts.ts';

type RoleConfiguration =
  | ProxyRoleConfiguration
  | EngineRoleConfiguration
  | ConnectorsRoleConfiguration
  | RedisRoleConfiguration
  | HttpRoleConfiguration;

export type SupervisorOptions = {
  readonly configuration: Configuration;
  readonly logger: Logger;
  readonly version: string;
  /** Told what a person may want to know, a line at a time. */
  readonly say: (line: string) => void;
  /** A part cannot go on; the node has to be stopped. */
  readonly onFatal: (error: PgError) => void;
};

/** Runs the parts of a node as processes of their own and keeps them running. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #configuration: Configuration;
  readonly #roles: SupervisedRole[] = [];
  readonly #stopping = new AbortController();
  readonly #captures = new Map<string, CaptureReport>();
  #postgres: SupervisedPostgres | undefined;
  #postgresPort = 0;
  #startingPostgres: Promise<void> = Promise.resolve();
  #listen: Address;
  #nodeId = '';
  #unlock: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.#listen = options.configuration.listen;
  }

  /** Resolves when every part is up, with where to reach the node. Rejects with a PgError. */
  async start(): Promise<NodeAddresses> {
    const { roles, upstream } = this.#configuration;
    if (upstream !== undefined && roles.includes('proxy')) {
      await refuseOwnEndpoint(upstream, this.#listen);
    }
    // Two nodes cannot write one database or one change log.
    if (upstream === undefined || roles.includes('engine')) {
      this.#unlock = lockDataDirectory(this.#configuration.dataDirectory);
    }
    if (upstream === undefined) {
      this.#startingPostgres = this.#startPostgres();
      await this.#startingPostgres;
    }
    if (!this.#stopping.signal.aborted && roles.includes('proxy')) await this.#refuseOpenTrust();
    // Told to stop in the meantime: nothing more is started.
    if (this.#stopping.signal.aborted) return {};
    if (roles.includes('proxy')) await this.#choosePort();
    // Only what keeps something there makes a directory.
    const { dataDirectory } = this.#configuration;
    this.#nodeId = roles.includes('engine')
      ? nodeIdOf(dataDirectory)
      : (knownNodeId(dataDirectory) ?? '');
    for (const role of roles) this.#startRole(role);
    await Promise.all([
      ...this.#roles.map((role) => role.ready),
      ...(upstream === undefined ? [] : [this.#sayWhenUnreachable(upstream)]),
    ]);
    return {
      listen: this.#roleOf('proxy')?.addresses['listen'],
      redis: this.#roleOf('redis')?.addresses['redis'],
      http: this.#roleOf('http')?.addresses['http'],
      metrics: this.#roleOf('http')?.addresses['metrics'],
    };
  }

  /** The database behind the endpoint, embedded or not. */
  upstream(): Upstream {
    return (
      this.#configuration.upstream ?? {
        host: '127.0.0.1',
        port: this.#postgres?.port ?? 0,
        user: 'postgres',
        password: undefined,
        database: embeddedDatabase,
        sslMode: 'disable',
        authority: undefined,
      }
    );
  }

  /** Drains the proxies, then ends the rest, the database last. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const { drainTimeoutMs } = this.#configuration;
    const proxies = this.#roles.filter(({ name }) => name === 'proxy');
    const others = this.#roles.filter(({ name }) => name !== 'proxy');
    await Promise.all(proxies.map((role) => role.stop(drainTimeoutMs)));
    await Promise.all(others.map((role) => role.stop(0)));
    // A database that is just being made is not left behind half-way, unless that takes too long.
    const patience = delay(postgresStopMax, undefined, { ref: false });
    await Promise.race([this.#startingPostgres.catch(() => undefined), patience]);
    await this.#postgres?.stop();
    this.#unlock();
  }

  /** Ends the processes of the roles at once; used when a person has lost patience. */
  kill(): void {
    for (const role of this.#roles) role.kill();
  }

  async #startPostgres(): Promise<void> {
    const { logger, say } = this.#options;
    const { dataDirectory } = this.#configuration;
    const postgres = await openEmbeddedPostgres({ dataDirectory, say });
    if (this.#stopping.signal.aborted) return;
    this.#postgres = new SupervisedPostgres({
      postgres,
      logger,
      onChange: () => this.#postgresChanged(),
    });
    await this.#postgres.start();
    this.#postgresPort = this.#postgres.port;
  }

  #postgresChanged(): void {
    this.#tellParts();
    const port = this.#postgres?.port ?? 0;
    if (port === this.#postgresPort) return;
    this.#postgresPort = port;
    // Somebody took the port in between: the roles have to be told, which is done by a new start.
    for (const role of this.#roles) role.kill();
  }

  async #refuseOpenTrust(): Promise<void> {
    const { listen, allowTrust } = this.#configuration;
    if (allowTrust || isLoopback(listen.host)) return;
    const { say } = this.#options;
    await refuseOpenTrust({
      upstream: this.upstream(),
      listen,
      say,
      signal: this.#stopping.signal,
    });
  }

  /** Not an error: it may come up later, and clients are told until then. */
  async #sayWhenUnreachable(upstream: Upstream): Promise<void> {
    const probe = await probeUpstream(upstream);
    const advice = isServing(probe) ? undefined : adviseOn(upstream, probe);
    if (advice === undefined) return;
    const { message, hint } = upstreamNotServing(advice.found, advice.mend);
    this.#options.say(`${message}\nHINT:  ${hint}`);
  }

  #proxies(): number {
    return this.#configuration.proxies ?? proxyProcesses();
  }

  /**
   * Several proxies meet at the cluster module's socket of one HOST:PORT as it was asked for. The
   * port that the system chose for port 0 would be another socket to a proxy started again.
   */
  async #choosePort(): Promise<void> {
    if (this.#proxies() === 1 || this.#listen.port !== 0) return;
    const { host } = this.#listen;
    try {
      this.#listen = { host, port: await freePort(host) };
    } catch (error) {
      throw cannotListen('--listen', printAddress(this.#listen), error);
    }
  }

  #startRole(name: RoleName): void {
    const count = name === 'proxy' ? this.#proxies() : 1;
    for (let index = 0; index < count; index += 1) {
      const role = new SupervisedRole({
        name,
        logger: this.#options.logger,
        spawn: () => spawnRole(name, count > 1),
        configuration: (previous) => this.#configurationOf(name, previous),
        onChange: () => this.#tellParts(),
        onFatal: this.#options.onFatal,
        onMessage: (message) => {
          if (message.kind === 'collect-node') void this.#collectFor(role, message.id);
          if (message.kind === 'capture') {
            this.#captures.set(message.report.database, message.report);
            this.#tellParts();
          }
        },
      });
      this.#roles.push(role);
      role.start();
    }
  }

  /** Where a process listened before it listens again, also when the system had chosen the port. */
  #configurationOf(name: RoleName, previous: Readonly<Record<string, Address>>): RoleConfiguration {
    const { http, metrics, tls, logLevel, databases, dataDirectory } = this.#configuration;
    const upstream = this.upstream();
    switch (name) {
      case 'proxy':
        return {
          listen: previous['listen'] ?? this.#listen,
          upstream,
          tls,
          logLevel,
          dataDirectory,
          databases,
          node: this.#nodeId,
        };
      case 'engine':
        return {
          upstream,
          databases: this.#configuration.capture === 'off' ? [] : databases,
          dataDirectory,
          isCaptureOn: this.#configuration.capture === 'on',
          internal: previous['internal'] ?? this.#configuration.internal,
          node: this.#node(),
          logLevel,
        };
      case 'connectors':
        return {
          upstream,
          databases: this.#configuration.capture === 'off' ? [] : databases,
          dataDirectory,
          node: this.#nodeId,
          logLevel,
        };
      case 'redis': {
        const { redis, redisAuth } = this.#configuration;
        return {
          listen: previous['redis'] ?? redis,
          asksForPassword: redisAuth,
          upstream,
          dataDirectory,
          databases,
          node: this.#nodeId,
          logLevel,
        };
      }
      case 'http':
        return {
          http: previous['http'] ?? http,
          metrics: previous['metrics'] ?? metrics,
          upstream,
          embeddedLogFile:
            this.#configuration.upstream === undefined ? postgresLogFile(dataDirectory) : undefined,
        };
    }
  }

  #node(): EngineRoleConfiguration['node'] {
    const { roles } = this.#configuration;
    return {
      id: this.#nodeId,
      host: hostname(),
      roles,
      version: this.#options.version,
    };
  }

  #roleOf(name: RoleName): SupervisedRole | undefined {
    return this.#roles.find((role) => role.name === name);
  }

  #parts(): PartState[] {
    const parts = this.#configuration.roles.map((name) =>
      partOf(
        name,
        this.#roles.filter((role) => role.name === name),
      ),
    );
    return this.#postgres === undefined ? parts : [...parts, this.#postgres.part];
  }

  #tellParts(): void {
    const captures = knownCaptures([...this.#captures.values()], this.#roleOf('engine')?.state);
    this.#roleOf('http')?.send({ kind: 'parts', parts: this.#parts(), captures });
  }

  async #collectFor(asker: SupervisedRole, id: number): Promise<void> {
    const collected = (await Promise.all(this.#roles.map((role) => role.collect()))).flat();
    asker.send({ kind: 'node-collected', id, collected });
  }
}
