import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withClient } from '../../postgres/client.ts';
import { temporaryDirectory } from '../../testing/test-endpoint.ts';
import { accountForServer } from '../embedded-postgres/account.ts';
import { usableBinaries } from '../embedded-postgres/binaries.ts';
import { initialiseCluster } from '../embedded-postgres/cluster.ts';
import { type PostgresProcess, startPostgres } from '../embedded-postgres/postgres-process.ts';

const main = fileURLToPath(new URL('../main.js', import.meta.url));

describe('heliosdb check', function () {
  this.timeout(60_000);
  let directory: string;
  let start: (settings: Record<string, string>) => Promise<PostgresProcess>;
  let server: PostgresProcess | undefined;

  before(async () => {
    directory = temporaryDirectory();
    const account = accountForServer();
    const binaries = await usableBinaries({ account, dataDirectory: directory });
    const cluster = { directory: join(directory, 'postgres'), account };
    await initialiseCluster({ cluster, binaries, sync: false });
    const logFile = join(directory, 'postgres.log');
    start = (settings) => startPostgres({ cluster, binaries, logFile, settings });
  });

  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  after(() => rmSync(directory, { recursive: true }));

  it('finds nothing missing in the settings of the embedded server', async () => {
    server = await start({});
    const { status, lines } = check(server, 'postgres');
    assert.equal(status, 0);
    assert.equal(lines.at(-1), 'windows and change capture will work');
    assert.ok(lines.some((line) => /^ok +version: Postgres 18/.test(line)));
    assert.ok(lines.some((line) => /^note +proof: .*; to mend: /.test(line)));
  });

  it('tells what change capture lacks, which windows do not need', async () => {
    server = await start({ wal_level: 'minimal', max_wal_senders: '0' });
    await withClient(urlOf(server, 'postgres'), (client) =>
      client.query('CREATE ROLE reader LOGIN'),
    );
    const { status, lines } = check(server, 'reader');
    assert.equal(status, 0);
    const missing = lines.filter((line) => line.startsWith('missing'));
    assert.deepEqual(
      missing.map((line) => /^missing +([^:]+):/.exec(line)?.[1]),
      ['wal_level', 'wal senders', 'right to replicate', 'right to make schema heliosdb'],
    );
    assert.ok(missing.every((line) => line.includes('(only change capture needs it); to mend: ')));
    assert.ok(lines.includes('windows will work'));
  });

  it('does not count the slot of this database against it', async () => {
    server = await start({ max_replication_slots: '1' });
    await withClient(urlOf(server, 'postgres'), (client) =>
      client.query(
        `SELECT pg_create_logical_replication_slot('heliosdb_' || oid, 'pgoutput')
           FROM pg_database WHERE datname = current_database()`,
      ),
    );
    const { lines } = check(server, 'postgres');
    assert.ok(lines.some((line) => /^ok +replication slots: 1 of 1 used, one of them/.test(line)));
    assert.equal(lines.at(-1), 'windows and change capture will work');
    await withClient(urlOf(server, 'postgres'), (client) =>
      client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots'),
    );
  });

  it('fails for a user who does not exist', async () => {
    server = await start({});
    const { status, lines } = check(server, 'nobody_knows');
    assert.equal(status, 1);
    assert.match(lines[0] ?? '', /^fail +connection: .* refuses user nobody_knows: /);
    assert.equal(lines.at(-1), 'windows will not work');
  });

  it('lets windows work when the server asks for a password that the URL does not have', async () => {
    const rules = join(directory, 'pg_hba.conf');
    writeFileSync(rules, 'host all all 127.0.0.1/32 scram-sha-256\n');
    server = await start({ hba_file: rules });
    const { status, lines } = check(server, 'postgres');
    assert.equal(status, 0);
    assert.match(
      lines[0] ?? '',
      /^note +connection: .* asks user postgres for a password; to mend: /,
    );
    assert.deepEqual(lines.slice(-2), [
      'windows will work if the server is Postgres 14 or newer',
      'the rest is looked at when the URL has the password',
    ]);
  });

  it('finds that the embedded server runs here', () => {
    const { status, lines } = run('check');
    assert.equal(status, 0);
    assert.match(lines[0] ?? '', /^ok +embedded Postgres 18\.\d+ runs here/);
  });
});

function check(server: PostgresProcess, user: string): { status: number | null; lines: string[] } {
  return run('check', '--upstream', urlOf(server, user));
}

function run(...args: string[]): { status: number | null; lines: string[] } {
  const { status, stdout } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

function urlOf({ port }: PostgresProcess, user: string): string {
  return `postgres://${user}@127.0.0.1:${port}/postgres`;
}
