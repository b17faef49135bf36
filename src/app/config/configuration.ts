import type { Address } from './address.ts';
import type { Upstream } from './upstream.ts';

export const roleNames = ['proxy', 'engine', 'connectors', 'redis', 'http'] as const;
export type RoleName = (typeof roleNames)[number];

export const captureModes = ['on', 'on-demand', 'off'] as const;
export type CaptureMode = (typeof captureModes)[number];

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The one database the embedded Postgres begins with. */
export const embeddedDatabase = 'postgres';

/** Everything a node was told, checked. */
export type Configuration = {
  /** Absent: the embedded Postgres. */
  readonly upstream: Upstream | undefined;
  readonly listen: Address;
  readonly http: Address;
  readonly metrics: Address;
  readonly redis: Address;
  /** Whether clients of the Redis endpoint say who they are. */
  readonly redisAuth: boolean;
  /** Where the engine serves its change logs to other nodes. */
  readonly internal: Address;
  /** When the replication slot is made. */
  readonly capture: CaptureMode;
  /** Those that are captured; the first is the node's own. */
  readonly databases: readonly string[];
  readonly dataDirectory: string;
  readonly roles: readonly RoleName[];
  /** Proxy processes; absent: as many as the cores of the machine suggest. */
  readonly proxies: number | undefined;
  readonly tls: TlsMaterial | undefined;
  readonly allowTrust: boolean;
  readonly drainTimeoutMs: number;
  readonly logLevel: LogLevel;
};

/** PEM texts, so that a process that restarts does not depend on the files. */
export type TlsMaterial = { readonly certificate: string; readonly key: string };
