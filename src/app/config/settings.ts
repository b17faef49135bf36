/** One thing a node can be told, by flag, environment variable or key of the file. */
export type SettingName =
  | 'upstream'
  | 'listen'
  | 'http'
  | 'metrics'
  | 'redis'
  | 'redisAuth'
  | 'internal'
  | 'capture'
  | 'databases'
  | 'data'
  | 'roles'
  | 'proxies'
  | 'tlsCert'
  | 'tlsKey'
  | 'allowTrust'
  | 'drainTimeout'
  | 'logLevel';

export type Setting = {
  readonly name: SettingName;
  /** The flag without its dashes. */
  readonly flag: string;
  /** Stands for the value in the help; none for a switch. */
  readonly placeholder?: string;
  readonly about: string;
  /** Used when nobody says anything; absent when then it is off. */
  readonly standard?: string;
};

export const settings: readonly Setting[] = [
  {
    name: 'upstream',
    flag: 'upstream',
    placeholder: 'URL',
    about: 'backing database (default: an embedded Postgres)',
  },
  {
    name: 'listen',
    flag: 'listen',
    placeholder: 'HOST:PORT',
    about: 'Postgres wire protocol',
    standard: '127.0.0.1:6432',
  },
  {
    name: 'http',
    flag: 'http',
    placeholder: 'HOST:PORT',
    about: '/health and /ready',
    standard: '127.0.0.1:8080',
  },
  {
    name: 'metrics',
    flag: 'metrics',
    placeholder: 'HOST:PORT',
    about: 'Prometheus /metrics',
    standard: '127.0.0.1:9090',
  },
  {
    name: 'redis',
    flag: 'redis',
    placeholder: 'HOST:PORT',
    about: 'captured changes as Redis Streams',
    standard: '127.0.0.1:6380',
  },
  {
    name: 'redisAuth',
    flag: 'redis-auth',
    placeholder: 'on|off',
    about: 'ask its clients for role and password (default: on with --upstream)',
  },
  {
    name: 'internal',
    flag: 'internal',
    placeholder: 'HOST:PORT',
    about: 'where other nodes read the change log of this one',
    standard: '127.0.0.1:0',
  },
  {
    name: 'capture',
    flag: 'capture',
    placeholder: 'on|on-demand|off',
    about: 'when changes are captured (default: on, with --upstream on-demand)',
  },
  {
    name: 'databases',
    flag: 'databases',
    placeholder: 'LIST',
    about: 'databases that are captured (default: that of the upstream URL)',
  },
  {
    name: 'data',
    flag: 'data',
    placeholder: 'DIR',
    about: 'embedded Postgres, change log and state',
    standard: './data',
  },
  {
    name: 'roles',
    flag: 'roles',
    placeholder: 'LIST',
    about: 'what this node runs',
    standard: 'proxy,engine,connectors,redis,http',
  },
  {
    name: 'proxies',
    flag: 'proxies',
    placeholder: 'N',
    about: 'proxy processes that share the port (default: one per core but one, at most 8)',
  },
  {
    name: 'tlsCert',
    flag: 'tls-cert',
    placeholder: 'FILE',
    about: 'certificate chain shown to clients, PEM',
  },
  { name: 'tlsKey', flag: 'tls-key', placeholder: 'FILE', about: 'its private key, PEM' },
  {
    name: 'allowTrust',
    flag: 'allow-trust',
    about: 'listen beyond loopback although the upstream asks for no password',
  },
  {
    name: 'drainTimeout',
    flag: 'drain-timeout',
    placeholder: 'SECONDS',
    about: 'how long open transactions may go on after SIGTERM',
    standard: '5',
  },
  {
    name: 'logLevel',
    flag: 'log-level',
    placeholder: 'LEVEL',
    about: 'debug, info, warn or error',
    standard: 'warn',
  },
];

export function environmentVariable(setting: Setting): string {
  return `HELIOSDB_${fileKey(setting).toUpperCase()}`;
}

export function fileKey(setting: Setting): string {
  return setting.flag.replaceAll('-', '_');
}
