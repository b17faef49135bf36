import { readFileSync } from 'node:fs';
import {
  fileUnreadable,
  settingInvalid,
  unrecognisedKey,
} from '../../core/errors/configuration.ts';
import type { ConnectionTarget } from '../../postgres/connection-target.ts';
import { sslModes } from '../../proxy/upstream-connection.ts';

/** The database behind the endpoint. HeliosDB connects as `user`, clients bring their own. */
export type Upstream = ConnectionTarget;

const pattern = /^postgres(?:ql)?:\/\/(?:(.*)@)?([^@/?]*)(?:\/([^?]*))?(?:\?(.*))?$/;
const parameterNames = ['host', 'port', 'sslmode', 'sslrootcert'];
const expected = 'postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE';

/**
 * Reads a connection URL as libpq writes it. Not by the URL class, which knows no empty host and
 * none that is a directory (https://www.postgresql.org/docs/current/libpq-connect.html).
 */
export function parseUpstream(text: string, source: string): Upstream {
  const invalid = (what: string): Error => settingInvalid(source, withoutSecrets(text), what);
  const match = pattern.exec(text);
  if (match === null) throw invalid(expected);
  const parameters = new URLSearchParams(match[4] ?? '');
  const decode = (part: string | undefined): string | undefined => {
    try {
      return part === undefined || part === '' ? undefined : decodeURIComponent(part);
    } catch {
      throw invalid(`${expected} with % only before two hexadecimal digits`);
    }
  };
  const [user, ...password] = (match[1] ?? '').split(':');
  const [, host, portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(match[2] ?? '') ?? [];
  const hosts = parameters.get('host') ?? host;
  if (host === undefined || hosts?.includes(',')) throw invalid(`${expected} with one host`);
  const port = Number(parameters.get('port') ?? (portText || '5432'));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid('a port up to 65535');
  // After the port: of ann:sec?ret without a host this would tell the end of the password.
  for (const name of parameters.keys()) {
    if (!parameterNames.includes(name)) throw unrecognisedKey(name, source, parameterNames);
  }
  const sslMode = sslModes.find((mode) => mode === (parameters.get('sslmode') ?? 'prefer'));
  if (sslMode === undefined) throw invalid(`sslmode to be one of ${sslModes.join(', ')}`);
  const name = decode(user) ?? 'postgres';
  return {
    host: parameters.get('host') ?? decode(host.replace(/^\[|\]$/g, '')) ?? 'localhost',
    port,
    user: name,
    password: decode(password.join(':')),
    database: decode(match[3]) ?? name,
    sslMode,
    authority: readAuthority(parameters.get('sslrootcert'), source),
  };
}

/**
 * What a message may say of a text that is no URL of ours. Where its password is cannot be told, so
 * what may be one is left out: all before the last @, a port that may be the end of one, and the
 * parameters; the whole of what begins differently.
 */
function withoutSecrets(text: string): string {
  const scheme = /^[a-z]+:\/\//i.exec(text)?.[0];
  if (scheme === undefined) return '***';
  const rest = text.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const place = rest.slice(at + 1).replace(/:[^:/?\]]*(?=[/?]|$)/, ':***');
  return scheme + (at < 0 ? '' : '***@') + place.replace(/[?].*$/s, '?***');
}

function readAuthority(file: string | null, source: string): string | undefined {
  if (file === null) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileUnreadable(`sslrootcert in ${source}`, file, error);
  }
}

/** For messages: where it is, without who connects. */
export function printUpstream({ host, port }: Upstream): string {
  if (host.startsWith('/')) return `${host}/.s.PGSQL.${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
