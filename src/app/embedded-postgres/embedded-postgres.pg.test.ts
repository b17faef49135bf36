import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PgError } from '../../core/errors/pg-error.ts';
import { withClient } from '../../postgres/client.ts';
import { temporaryDirectory } from '../../testing/test-endpoint.ts';
import { isAlive } from '../process-table.ts';
import { accountForServer } from './account.ts';
import { packagedBinaries, usableBinaries } from './binaries.ts';
import { initialiseCluster } from './cluster.ts';
import { openEmbeddedPostgres } from './embedded-postgres.ts';
import type { PostgresProcess } from './postgres-process.ts';

describe('the embedded Postgres', function () {
  this.timeout(60_000);
  let data: string;
  let server: PostgresProcess | undefined;
  const said: string[] = [];

  beforeEach(() => {
    data = temporaryDirectory();
    said.length = 0;
  });

  afterEach(async () => {
    if (server !== undefined && isAlive(server.pid)) await server.stop();
    server = undefined;
    const cluster = join(data, 'postgres');
    if (existsSync(cluster) && lstatSync(cluster).isSymbolicLink()) {
      rmSync(dirname(realpathSync(cluster)), { recursive: true });
    }
    rmSync(data, { recursive: true, force: true });
  });

  it('keeps its data from one start to the next', async () => {
    server = await start(data);
    await query(server, 'CREATE TABLE kept AS SELECT 42 AS n');
    await server.stop();
    server = await start(data);
    assert.deepEqual(await query(server, 'SELECT n FROM kept'), [{ n: 42 }]);
    assert.deepEqual(said, [`creating a database in ${join(data, 'postgres')}`]);
  });

  it('can be captured from, and listens on loopback only', async () => {
    server = await start(data);
    assert.deepEqual(await query(server, 'SHOW wal_level'), [{ wal_level: 'logical' }]);
    const [listen] = await query(server, 'SHOW listen_addresses');
    assert.deepEqual(listen, { listen_addresses: '127.0.0.1' });
    assert.ok(readFileSync(join(data, 'postgres.log'), 'utf8').includes('ready to accept'));
  });

  it('compares and folds text as Unicode has it', async () => {
    server = await start(data);
    const rows = await query(server, "SELECT lower('ÀÉ') AS low, 'ß' ~ '[[:alpha:]]' AS is_letter");
    assert.deepEqual(rows, [{ low: 'àé', is_letter: true }]);
  });

  it('shows times in UTC, whatever the zone of the machine', async () => {
    server = await start(data);
    assert.deepEqual(await query(server, 'SHOW timezone'), [{ TimeZone: 'UTC' }]);
    assert.deepEqual(await query(server, 'SHOW log_timezone'), [{ log_timezone: 'UTC' }]);
  });

  it('starts after it was killed', async () => {
    server = await start(data);
    await query(server, 'CREATE TABLE kept AS SELECT 42 AS n');
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    assert.ok(existsSync(join(data, 'postgres', 'postmaster.pid')));
    server = await start(data);
    assert.deepEqual(await query(server, 'SELECT n FROM kept'), [{ n: 42 }]);
  });

  it('starts when its pid file names another process', async () => {
    server = await start(data);
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    const file = join(data, 'postgres', 'postmaster.pid');
    // The backends of the killed server hold the directory for a moment longer.
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/^\d+/, String(process.ppid)));
    server = await start(data);
    assert.ok(isAlive(process.ppid));
    await query(server, 'SELECT 1');
  });

  it('ends a server whose supervisor was killed', async () => {
    const orphan = await start(data);
    await query(orphan, 'CREATE TABLE kept AS SELECT 42 AS n');
    server = await start(data);
    await orphan.exited;
    assert.ok(!isAlive(orphan.pid));
    assert.deepEqual(await query(server, 'SELECT n FROM kept'), [{ n: 42 }]);
    const log = readFileSync(join(data, 'postgres.log'), 'utf8');
    assert.ok(!log.includes('not properly shut down'), log);
  });

  it('begins again when the first start was interrupted', async () => {
    const partial = join(data, 'postgres.partial');
    mkdirSync(partial);
    writeFileSync(join(partial, 'PG_VERSION'), '18\n');
    server = await start(data);
    await query(server, 'SELECT 1');
    assert.deepEqual(readdirSync(data).sort(), ['postgres', 'postgres.log']);
  });

  it('takes another port when its own is taken', async () => {
    server = await start(data);
    const { port } = server;
    const other = temporaryDirectory();
    try {
      const second = await start(other, port);
      assert.notEqual(second.port, port);
      await second.stop();
    } finally {
      rmSync(other, { recursive: true });
    }
  });

  it('refuses the data of another major version', async () => {
    mkdirSync(join(data, 'postgres'));
    writeFileSync(join(data, 'postgres', 'PG_VERSION'), '15\n');
    await assert.rejects(start(data), (error: PgError) => {
      assert.match(error.message, /was made by Postgres 15, the embedded one is Postgres 18$/);
      assert.match(error.hint ?? '', /--upstream/);
      return true;
    });
  });

  it('refuses a directory that holds something else', async () => {
    mkdirSync(join(data, 'postgres'));
    writeFileSync(join(data, 'postgres', 'letter.txt'), 'dear');
    await assert.rejects(start(data), PgError);
    assert.ok(existsSync(join(data, 'postgres', 'letter.txt')));
  });

  it('starts below a directory that is closed to others', async () => {
    chmodSync(data, 0o700);
    server = await start(data);
    await query(server, 'CREATE TABLE kept AS SELECT 42 AS n');
    await server.stop();
    server = await start(data);
    assert.deepEqual(await query(server, 'SELECT n FROM kept'), [{ n: 42 }]);
    const isMoved = lstatSync(join(data, 'postgres')).isSymbolicLink();
    assert.equal(isMoved, accountForServer() !== undefined);
    if (isMoved) assert.match(said.join('\n'), /cannot reach .*, the database is in \/var\/lib\//);
  });

  it('says when the place it was moved to is gone', async function () {
    if (accountForServer() === undefined) this.skip();
    chmodSync(data, 0o700);
    await (await start(data)).stop();
    rmSync(dirname(realpathSync(join(data, 'postgres'))), { recursive: true });
    await assert.rejects(start(data), /which does not exist/);
    rmSync(join(data, 'postgres'));
  });

  describe('with binaries that cannot be used in place', () => {
    for (const [what, spoil] of [
      ['were installed without install scripts', (native: string) => removeSymlinks(native)],
      [
        'cannot be reached by the user who runs them',
        (native: string) => chmodSync(dirname(native), 0o700),
      ],
    ] as const) {
      it(`runs those that ${what}`, async () => {
        const packaged = await packagedBinaries();
        const closed = mkdtempSync(join(tmpdir(), 'heliosdb-test-'));
        chmodSync(closed, 0o755);
        const native = join(closed, 'package', 'native');
        try {
          cpSync(packaged.directory, native, { recursive: true, verbatimSymlinks: true });
          spoil(native);
          const account = accountForServer();
          const binaries = await usableBinaries({
            account,
            dataDirectory: data,
            packaged: { ...packaged, directory: native },
          });
          const cluster = { directory: join(data, 'postgres'), account };
          await initialiseCluster({ cluster, binaries, sync: false });
          assert.ok(existsSync(join(data, 'postgres', 'PG_VERSION')));
        } finally {
          rmSync(closed, { recursive: true });
        }
      });
    }
  });

  function start(directory: string, port?: number): Promise<PostgresProcess> {
    return openEmbeddedPostgres({
      dataDirectory: directory,
      say: (line) => said.push(line),
    }).then((postgres) => postgres.start(port));
  }
});

async function query({ port }: PostgresProcess, sql: string): Promise<unknown[]> {
  let rows: unknown[] = [];
  await withClient(`postgres://postgres@127.0.0.1:${port}/postgres`, async (client) => {
    rows = (await client.query(sql)).rows;
  });
  return rows;
}

function removeSymlinks(native: string): void {
  for (const name of readdirSync(join(native, 'lib'))) {
    const path = join(native, 'lib', name);
    if (lstatSync(path).isSymbolicLink()) rmSync(path);
  }
}
