import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { parse } from 'smol-toml';
import {
  configurationFileInvalid,
  fileUnreadable,
  settingInvalid,
  settingsIncomplete,
  tlsMaterialInvalid,
  unrecognisedKey,
} from '../../core/errors/configuration.ts';
import { proxyProcessesMax } from '../limits.ts';
import { type Address, isLoopback, parseAddress } from './address.ts';
import {
  type Configuration,
  captureModes,
  embeddedDatabase,
  logLevels,
  type RoleName,
  roleNames,
  type TlsMaterial,
} from './configuration.ts';
import {
  environmentVariable,
  fileKey,
  type Setting,
  type SettingName,
  settings,
} from './settings.ts';
import { parseUpstream } from './upstream.ts';

/** Values as the command line gave them, `true` for a switch. */
export type Flags = Partial<Record<SettingName | 'config', string | true>>;

/** A value and how it was given, for messages; `directory` is what its paths are relative to. */
type Given = { readonly text: string; readonly source: string; readonly directory: string };

/** Flags win over the environment, the environment over the file, the file over the defaults. */
export function readConfiguration(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
): Configuration {
  const given = collect(flags, environment);
  const upstream = whenGiven(given.upstream, ({ text, source }) => parseUpstream(text, source));
  const redis = readAddress(given.redis);
  return {
    upstream,
    listen: readAddress(given.listen),
    http: readAddress(given.http),
    metrics: readAddress(given.metrics),
    redis,
    internal: readAddress(given.internal),
    redisAuth: readRedisAuth(given.redisAuth, redis, upstream !== undefined),
    capture:
      whenGiven(given.capture, (value) => readOneOf(value, captureModes)) ??
      (upstream === undefined ? 'on' : 'on-demand'),
    databases: readDatabases(given.databases, upstream?.database ?? embeddedDatabase),
    dataDirectory: readDirectory(given.data),
    roles: readRoles(given.roles),
    proxies: whenGiven(given.proxies, readProxies),
    tls: readTls(given.tlsCert, given.tlsKey),
    allowTrust: whenGiven(given.allowTrust, readSwitch) ?? false,
    drainTimeoutMs: readSeconds(given.drainTimeout) * 1_000,
    logLevel: readOneOf(given.logLevel, logLevels),
  };
}

function collect(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
): Partial<Record<SettingName, Given>> {
  const here = process.cwd();
  const file = flags.config ?? environment['HELIOSDB_CONFIG'];
  if (flags.config === '') throw settingInvalid('--config', '', 'a file');
  const fromFile = typeof file === 'string' && file !== '' ? readFile(resolve(file)) : undefined;
  const given: Partial<Record<SettingName, Given>> = {};
  for (const setting of settings) {
    const flag = flags[setting.name];
    // An empty variable is how a script says "not set".
    const variable = environment[environmentVariable(setting)] || undefined;
    const key = fromFile?.values.get(fileKey(setting));
    if (flag !== undefined) {
      given[setting.name] = { text: String(flag), source: flagOf(setting), directory: here };
    } else if (variable !== undefined) {
      const source = `${environmentVariable(setting)} (the same as ${flagOf(setting)})`;
      given[setting.name] = { text: variable, source, directory: here };
    } else if (fromFile !== undefined && key !== undefined) {
      const source = `${fileKey(setting)} in ${fromFile.file} (the same as ${flagOf(setting)})`;
      given[setting.name] = { text: key, source, directory: dirname(fromFile.file) };
    } else if (setting.standard !== undefined) {
      const source = flagOf(setting);
      given[setting.name] = { text: setting.standard, source, directory: here };
    }
  }
  return given;
}

function readFile(file: string): { file: string; values: Map<string, string> } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fileUnreadable('--config', file, error);
  }
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    throw configurationFileInvalid(file, error);
  }
  const valid = settings.map(fileKey);
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(table)) {
    if (!valid.includes(key)) throw unrecognisedKey(key, file, valid);
    if (typeof value === 'object' && !Array.isArray(value)) {
      // Its values may be secrets.
      throw settingInvalid(`${key} in ${file}`, '{...}', 'one value');
    }
    values.set(key, String(value));
  }
  return { file, values };
}

function readAddress(given: Given | undefined): Address {
  const { text, source } = required(given);
  const address = parseAddress(text);
  if (address === undefined) throw settingInvalid(source, text, 'HOST:PORT');
  return address;
}

function readDirectory(given: Given | undefined): string {
  const { text, source, directory } = required(given);
  // It would be the directory the node is started in.
  if (text === '') throw settingInvalid(source, text, 'a directory');
  return resolve(directory, text);
}

function readRoles(given: Given | undefined): RoleName[] {
  const { text, source } = required(given);
  const names = text.split(',').map((name) => name.trim());
  const roles = names.map((name) => roleNames.find((role) => role === name));
  if (roles.includes(undefined)) {
    throw settingInvalid(source, text, `a list of ${roleNames.join(', ')}`);
  }
  return [...new Set(roles as RoleName[])];
}

/** Whoever is not asked reads with the rights of the node, so only on this machine. */
function readRedisAuth(given: Given | undefined, redis: Address, hasUpstream: boolean): boolean {
  const isAsked = whenGiven(given, readSwitch);
  if (isAsked === false && !isLoopback(redis.host)) {
    throw settingInvalid(
      given?.source ?? '--redis-auth',
      'off',
      'on, as --redis is open to other machines',
    );
  }
  return isAsked ?? (hasUpstream || !isLoopback(redis.host));
}

/** Names as they are, without quotes; the first is the one meant when none is named. */
function readDatabases(given: Given | undefined, own: string): readonly string[] {
  if (given === undefined) return [own];
  const names = given.text.split(',').map((name) => name.trim());
  if (names.includes('')) throw settingInvalid(given.source, given.text, 'a list of databases');
  return [...new Set(names)];
}

function readProxies({ text, source }: Given): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > proxyProcessesMax) {
    throw settingInvalid(source, text, `a number from 1 to ${proxyProcessesMax}`);
  }
  return count;
}

function readTls(certificate: Given | undefined, key: Given | undefined): TlsMaterial | undefined {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) throw settingsIncomplete('--tls-key', '--tls-cert');
  if (key === undefined) throw settingsIncomplete('--tls-cert', '--tls-key');
  const material = { certificate: readText(certificate), key: readText(key) };
  try {
    createSecureContext({ cert: material.certificate, key: material.key });
  } catch (error) {
    throw tlsMaterialInvalid(error);
  }
  return material;
}

function readText({ text, source, directory }: Given): string {
  const file = resolve(directory, text);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileUnreadable(source, file, error);
  }
}

function readSwitch({ text, source }: Given): boolean {
  if (/^(?:true|on|yes|1)$/i.test(text)) return true;
  if (/^(?:false|off|no|0)$/i.test(text)) return false;
  throw settingInvalid(source, text, 'on or off');
}

function readSeconds(given: Given | undefined): number {
  const { text, source } = required(given);
  const seconds = /^\d+(?:\.\d+)?s?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(seconds <= drainSecondsMax)) {
    throw settingInvalid(source, text, `seconds from 0 to ${drainSecondsMax}`);
  }
  return seconds;
}

/** An hour: longer than any orderly shutdown waits. */
const drainSecondsMax = 3_600;

function readOneOf<T extends string>(given: Given | undefined, valid: readonly T[]): T {
  const { text, source } = required(given);
  const found = valid.find((value) => value === text);
  if (found === undefined) throw settingInvalid(source, text, `one of ${valid.join(', ')}`);
  return found;
}

function whenGiven<T>(given: Given | undefined, read: (given: Given) => T): T | undefined {
  return given === undefined ? undefined : read(given);
}

/** Settings with a default are always given. */
function required(given: Given | undefined): Given {
  return given ?? { text: '', source: '', directory: '' };
}

function flagOf(setting: Setting): string {
  return `--${setting.flag}`;
}
