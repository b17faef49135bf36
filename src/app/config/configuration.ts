import type { Address } from './address.ts';
import type { Upstream } from './upstream.ts';

export const roleNames = ['proxy', 'http'] as const;
export type RoleName = (typeof roleNames)[number];

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Everything a node was told, checked. */
export type Configuration = {
  /** Absent: the embedded Postgres. */
  readonly upstream: Upstream | undefined;
  readonly listen: Address;
  readonly http: Address;
  readonly metrics: Address;
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
