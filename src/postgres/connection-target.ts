import type { ClientConfig } from 'pg';

/** As libpq's parameter of the same name. */
export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** A database and who to connect to it as. */
export type ConnectionTarget = {
  /** A host name, an address, or, when it begins with a slash, the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly sslMode: SslMode;
  /** Certificates to trust, PEM; the system's own when left out. */
  readonly authority: string | undefined;
};

/** How long one attempt to connect may take, ms. */
export const connectTimeoutMs: number = 5_000;

/** Everything is said, so that no PG* variable of the environment changes where this leads. */
export function clientConfig(target: ConnectionTarget, encrypted: boolean): ClientConfig {
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    database: target.database,
    ssl: encrypted ? tlsOptions(target) : false,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'heliosdb',
  };
}

/** What to try, in order: `prefer` takes a plain connection when the server has no TLS. */
export function encryptionAttempts({ host, sslMode }: ConnectionTarget): readonly boolean[] {
  if (host.startsWith('/') || sslMode === 'disable') return [false];
  return sslMode === 'prefer' ? [true, false] : [true];
}

function tlsOptions(target: ConnectionTarget): NonNullable<ClientConfig['ssl']> {
  const verifies = target.sslMode === 'verify-ca' || target.sslMode === 'verify-full';
  return {
    ...(target.authority === undefined ? {} : { ca: target.authority }),
    rejectUnauthorized:
      verifies || (target.sslMode === 'require' && target.authority !== undefined),
    ...(target.sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}
