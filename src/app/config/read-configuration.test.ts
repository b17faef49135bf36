import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PgError } from '../../core/errors/pg-error.ts';
import { readConfiguration } from './read-configuration.ts';

describe('the configuration', () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'heliosdb-test-'));
  });

  after(() => rmSync(directory, { recursive: true }));

  it('has the defaults of the documentation', () => {
    const configuration = readConfiguration({}, {});
    assert.deepEqual(configuration, {
      upstream: undefined,
      listen: { host: '127.0.0.1', port: 6432 },
      http: { host: '127.0.0.1', port: 8080 },
      metrics: { host: '127.0.0.1', port: 9090 },
      redis: { host: '127.0.0.1', port: 6380 },
      redisAuth: false,
      internal: { host: '127.0.0.1', port: 0 },
      capture: 'on',
      databases: ['postgres'],
      dataDirectory: join(process.cwd(), 'data'),
      roles: ['proxy', 'engine', 'connectors', 'redis', 'http'],
      proxies: undefined,
      tls: undefined,
      allowTrust: false,
      drainTimeoutMs: 5_000,
      logLevel: 'warn',
    });
  });

  it('takes flags over environment over file over defaults', () => {
    const config = file('listen = ":1"\nhttp = ":1"\nmetrics = ":1"\nallow_trust = true\n');
    const environment = {
      HELIOSDB_CONFIG: config,
      HELIOSDB_LISTEN: ':2',
      HELIOSDB_HTTP: ':2',
      HELIOSDB_METRICS: '',
    };
    const configuration = readConfiguration({ listen: ':3' }, environment);
    assert.equal(configuration.listen.port, 3);
    assert.equal(configuration.http.port, 2);
    assert.equal(configuration.metrics.port, 1, 'an empty variable is none');
    assert.equal(configuration.allowTrust, true);
    assert.equal(configuration.logLevel, 'warn');
  });

  it('reads paths of the file from where the file is', () => {
    const config = file('data = "store"\n');
    assert.equal(readConfiguration({ config }, {}).dataDirectory, join(directory, 'store'));
  });

  it('lists the valid keys for one that is not', () => {
    const config = file('lisen = ":1"\n');
    const error = refusal(() => readConfiguration({ config }, {}));
    assert.equal(error.message, `unrecognized key "lisen" in ${config}`);
    assert.match(error.hint ?? '', /^Valid keys are upstream, listen, http, .*, log_level\.$/);
  });

  it('says where a file is not TOML, without showing what is there', () => {
    const config = file('listen = ":1"\nupstream = "postgres://ann:secret@db\n');
    const { message } = refusal(() => readConfiguration({ config }, {}));
    assert.match(message, /heliosdb\.toml is not TOML at line 2, column \d+: [^\n]+$/);
    assert.ok(!message.includes('secret'));
  });

  it('does not show the values of a table where one value is expected', () => {
    const config = file('[upstream]\npassword = "secret"\n');
    const { message } = refusal(() => readConfiguration({ config }, {}));
    assert.equal(message, `invalid value "{...}" for upstream in ${config}: expected one value`);
  });

  it('says which file is missing', () => {
    const config = join(directory, 'none.toml');
    const { message } = refusal(() => readConfiguration({ config }, {}));
    assert.ok(message.startsWith(`could not read file "${config}" of --config: ENOENT`));
  });

  it('names the flag of each value it refuses, however it was given', () => {
    for (const [flags, environment, message] of [
      [{ listen: 'x' }, {}, 'invalid value "x" for --listen: expected HOST:PORT'],
      [{ http: ':99999' }, {}, 'invalid value ":99999" for --http: expected HOST:PORT'],
      [
        {},
        { HELIOSDB_METRICS: 'x' },
        'invalid value "x" for HELIOSDB_METRICS (the same as --metrics): expected HOST:PORT',
      ],
      [
        { roles: 'proxy,motor' },
        {},
        'invalid value "proxy,motor" for --roles: expected a list of proxy, engine, connectors, redis, http',
      ],
      [{ data: '' }, {}, 'invalid value "" for --data: expected a directory'],
      [{ config: '' }, {}, 'invalid value "" for --config: expected a file'],
      [{ proxies: '0' }, {}, 'invalid value "0" for --proxies: expected a number from 1 to 64'],
      [{ proxies: '65' }, {}, 'invalid value "65" for --proxies: expected a number from 1 to 64'],
      [
        { logLevel: 'loud' },
        {},
        'invalid value "loud" for --log-level: expected one of debug, info, warn, error',
      ],
      [
        { drainTimeout: '-1' },
        {},
        'invalid value "-1" for --drain-timeout: expected seconds from 0 to 3600',
      ],
      [
        {},
        { HELIOSDB_ALLOW_TRUST: 'perhaps' },
        'invalid value "perhaps" for HELIOSDB_ALLOW_TRUST (the same as --allow-trust): ' +
          'expected on or off',
      ],
      [
        { redis: '0.0.0.0:6380', redisAuth: 'off' },
        {},
        'invalid value "off" for --redis-auth: expected on, as --redis is open to other machines',
      ],
      [
        { capture: 'later' },
        {},
        'invalid value "later" for --capture: expected one of on, on-demand, off',
      ],
      [
        { databases: 'a,,b' },
        {},
        'invalid value "a,,b" for --databases: expected a list of databases',
      ],
      [{ tlsKey: 'k.pem' }, {}, '--tls-key is given without --tls-cert'],
      [{ tlsCert: 'c.pem' }, {}, '--tls-cert is given without --tls-key'],
    ] as const) {
      assert.equal(refusal(() => readConfiguration(flags, environment)).message, message);
    }
  });

  it('refuses certificate and key that do not work together', () => {
    const pem = file('not a certificate');
    const error = refusal(() => readConfiguration({ tlsCert: pem, tlsKey: pem }, {}));
    assert.match(error.message, /^the files of --tls-cert and --tls-key do not work together/);
  });

  function file(text: string): string {
    const path = join(directory, 'heliosdb.toml');
    writeFileSync(path, text);
    return path;
  }
});

function refusal(read: () => unknown): PgError {
  let error: unknown;
  try {
    read();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error, 'nothing was refused');
  return error as PgError;
}
