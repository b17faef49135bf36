import assert from 'node:assert/strict';
import { PgError } from '../core/errors/pg-error.ts';
import { Connection } from '../postgres/connection.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import { CaptureCatalog } from './capture-catalog.ts';
import { ExclusionHistory } from './exclusion-history.ts';
import { bindInstallation } from './installation.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations.ts';
import { NodeRegistry } from './node-registry.ts';
import { Ownership } from './ownership.ts';
import { ReaderRegistry } from './reader-registry.ts';

const failing = new PgError({ code: '08006', message: 'no answer', hint: 'start it' });

describe('the catalog', () => {
  const open: Connection[] = [];
  let target: Parameters<typeof Connection.open>[0];

  beforeEach(async () => {
    const postgres = await testPostgres();
    target = {
      host: postgres.host,
      port: postgres.port,
      user: postgres.user,
      password: undefined,
      database: await postgres.createDatabase(),
      sslMode: 'disable',
      authority: undefined,
    };
  });

  afterEach(async () => {
    for (const connection of open.splice(0)) await connection.close();
  });

  async function connect(user = target.user): Promise<Connection> {
    const connection = await Connection.open({ ...target, user });
    open.push(connection);
    return connection;
  }

  it('is made once, however many nodes begin at the same moment', async () => {
    const nodes = await Promise.all([connect(), connect(), connect(), connect()]);
    await Promise.all(nodes.map(migrate));
    await migrate(nodes[0]!);
    const rows = await nodes[0]!.query('SELECT number FROM heliosdb.migrations ORDER BY number');
    assert.deepEqual(
      rows.map(({ number }) => number),
      migrations().map(({ number }) => number),
    );
  });

  it('of a later version is left as it is', async () => {
    const connection = await connect();
    await migrate(connection);
    await connection.query("INSERT INTO heliosdb.migrations (number, name) VALUES (999, 'later')");
    await connection.query('ALTER TABLE heliosdb.capture ADD COLUMN later text');
    await migrate(connection);
    const wish = await new CaptureCatalog(connection).wish();
    assert.equal(wish.enabled, undefined);
  });

  it('cannot be made without the right to, which is said', async () => {
    const administrator = await connect();
    await administrator.query('DROP ROLE IF EXISTS catalog_nobody');
    await administrator.query('CREATE ROLE catalog_nobody LOGIN');
    const nobody = await connect('catalog_nobody');
    await assert.rejects(migrate(nobody), (error: PgError) => {
      assert.equal(error.code, '42501');
      assert.match(error.hint ?? '', /GRANT CREATE ON DATABASE/);
      return true;
    });
    await nobody.close();
    await administrator.query('DROP ROLE catalog_nobody');
  });

  it('is for members of heliosdb_admin, in transactions too, and notes who did what', async () => {
    const administrator = await connect();
    await migrate(administrator);
    await administrator.query('DROP ROLE IF EXISTS catalog_member, catalog_other');
    await administrator.query('CREATE ROLE catalog_member LOGIN IN ROLE heliosdb_admin');
    await administrator.query('CREATE ROLE catalog_other LOGIN');
    const member = await connect('catalog_member');
    const other = await connect('catalog_other');
    for (const statement of [
      'CALL heliosdb.enable_capture()',
      'SELECT * FROM heliosdb.cdc_status',
      'SELECT * FROM heliosdb.audit',
      'SELECT * FROM heliosdb.capture_state',
      "UPDATE heliosdb.capture SET options = '{}'",
      'SELECT heliosdb.sync_publications()',
    ]) {
      await assert.rejects(other.query(statement), { code: '42501' }, statement);
    }
    await member.query('BEGIN');
    await member.query('CALL heliosdb.enable_capture()');
    await member.query('ROLLBACK');
    const catalog = new CaptureCatalog(administrator);
    assert.equal((await catalog.wish()).enabled, undefined);
    await member.query('CALL heliosdb.enable_capture()');
    await member.query(`CALL heliosdb.set_capture_options('{"hold_for": "1 hour"}')`);
    await member.query(`CALL heliosdb.set_capture_options('{"hold_for": null}')`);
    await member.query("CALL heliosdb.exclude_columns(ARRAY['a.b.c', 'a.B.c', 'a.b.d'])");
    await member.query("CALL heliosdb.include_columns(ARRAY['a.b.d'])");
    const wish = await catalog.wish();
    assert.deepEqual([wish.enabled, wish.options], [true, {}]);
    assert.deepEqual(await new ExclusionHistory(administrator).before(1n << 63n), ['"a"."b"."c"']);
    const audit = await administrator.query(
      'SELECT role, command FROM heliosdb.audit ORDER BY id LIMIT 2',
    );
    assert.deepEqual(audit, [
      { role: 'catalog_member', command: 'ALTER CDC CAPTURE ENABLE' },
      { role: 'catalog_member', command: 'ALTER CDC CAPTURE SET' },
    ]);
    for (const connection of [member, other]) await connection.close();
    await administrator.query('DROP ROLE catalog_member, catalog_other');
  });

  it('has one owner, whose writes end with its term', async () => {
    const [first, second] = [await connect(), await connect()];
    await migrate(first);
    const [one, two] = [
      '00000000-0000-0000-0000-000000000001',
      '00000000-0000-0000-0000-000000000002',
    ];
    const [owned, wanted] = [new Ownership(first, one), new Ownership(second, two)];
    assert.ok(await owned.acquire());
    assert.ok(!(await wanted.acquire()));
    const catalog = new CaptureCatalog(first);
    const { term } = await catalog.takeOver(one);
    assert.ok(await catalog.noteSlot(term, 'heliosdb_1'));
    await owned.release();
    assert.ok(await wanted.acquire());
    await new CaptureCatalog(second).takeOver(two);
    assert.ok(!(await catalog.noteSlot(term, 'heliosdb_2')), 'another has taken over');
    const status = {
      state: 'streaming',
      logStart: 1n,
      logEnd: 2n,
      durable: 2n,
      confirmed: 1n,
      logBytes: 1,
      changes: 1,
      error: undefined,
    };
    assert.ok(!(await catalog.writeStatus(term, one, status)));
    assert.ok(
      !(await new ReaderRegistry(first, term).register('r', 'test', { epoch: 1, lsn: 1n, seq: 0 })),
    );
  });

  it('takes the ownership from a node that is silent, and not from one that is not', async () => {
    const [first, second] = [await connect(), await connect()];
    await migrate(first);
    const [one, two] = [
      '00000000-0000-0000-0000-000000000001',
      '00000000-0000-0000-0000-000000000002',
    ];
    const identity = { host: 'h', pid: 1, roles: [], version: '0', logAddress: undefined };
    await new NodeRegistry(first, { ...identity, id: one }).register();
    assert.ok(await new Ownership(first, one).acquire());
    await new CaptureCatalog(first).takeOver(one);
    const wanted = new Ownership(second, two);
    assert.ok(!(await wanted.acquire()));
    assert.ok(first.isOpen);
    await second.query("UPDATE heliosdb.nodes SET heartbeat_at = now() - INTERVAL '1 minute'");
    const closed = new Promise<void>((resolve) => first.onceClosed(resolve));
    assert.ok(!(await wanted.acquire()), 'it is only being disconnected');
    await closed;
    while (!(await wanted.acquire())) await second.query('SELECT pg_sleep(0.01)');
  });

  it('works where it was made; a copy waits until it is adopted', async () => {
    const connection = await connect();
    await migrate(connection);
    const { databaseOid } = await bindInstallation(connection);
    assert.deepEqual((await bindInstallation(connection)).databaseOid, databaseOid);
    await connection.query('UPDATE heliosdb.installation SET database_oid = 1');
    await assert.rejects(bindInstallation(connection), (error: PgError) => {
      assert.equal(error.code, '55000');
      assert.match(error.hint ?? '', /CALL heliosdb\.adopt\(\)/);
      return true;
    });
    const before = await new CaptureCatalog(connection).facts();
    await connection.query('CALL heliosdb.adopt()');
    await bindInstallation(connection);
    const after = await new CaptureCatalog(connection).facts();
    assert.deepEqual([after.epoch, after.slot], [before.epoch, undefined]);
  });

  it('tells everybody what stops capture, until an order may have mended it', async () => {
    const connection = await connect();
    await migrate(connection);
    const node = '00000000-0000-0000-0000-000000000001';
    const identity = { host: 'h', pid: 1, roles: [], version: '0', logAddress: undefined };
    const catalog = new CaptureCatalog(connection);
    const { term } = await catalog.takeOver(node);
    await connection.query('DROP ROLE IF EXISTS catalog_waiting');
    await connection.query('CREATE ROLE catalog_waiting LOGIN');
    const anybody = await connect('catalog_waiting');
    const told = async (): Promise<unknown> =>
      (await anybody.query('SELECT heliosdb.capture_failure() AS told'))[0]?.['told'];
    const write = async (error: PgError | undefined): Promise<void> => {
      const log = { logStart: undefined, logEnd: undefined, durable: undefined };
      const sizes = { confirmed: undefined, logBytes: 0, changes: 0 };
      await catalog.writeStatus(term, node, { state: 'failing', ...log, ...sizes, error });
    };
    await write(failing);
    assert.equal(await told(), null, 'of a node that is not there');
    const registry = new NodeRegistry(connection, { ...identity, id: node });
    await registry.register();
    assert.equal(await told(), null, 'of before the node began');
    await write(failing);
    assert.deepEqual(await told(), { code: '08006', error: 'no answer', hint: 'start it' });
    await connection.query('CALL heliosdb.enable_capture()');
    assert.equal(await told(), null, 'of before the order');
    await write(undefined);
    assert.equal(await told(), null, 'all is well');
    await write(failing);
    await connection.query("UPDATE heliosdb.nodes SET heartbeat_at = now() - INTERVAL '1 minute'");
    assert.equal(await told(), null, 'of a node that is silent');
    await anybody.close();
    await connection.query('DROP ROLE catalog_waiting');
  });

  it('keeps where readers stand and how they are', async () => {
    const connection = await connect();
    await migrate(connection);
    const { term } = await new CaptureCatalog(connection).takeOver(
      '00000000-0000-0000-0000-000000000001',
    );
    const readers = new ReaderRegistry(connection, term);
    await readers.register('orders', 'test', { epoch: 1, lsn: 5n, seq: 0 });
    await readers.register('orders', 'test', { epoch: 1, lsn: 9n, seq: 0 });
    await readers.advance('orders', { epoch: 1, lsn: 7n, seq: 3 });
    const [reader] = await readers.list();
    assert.deepEqual(reader?.position, { epoch: 1, lsn: 7n, seq: 3 });
    await readers.fail('orders', failing);
    await readers.fail('orders', failing);
    const [ill] = await readers.list();
    assert.ok((ill?.failingForMs ?? -1) >= 0);
    const [shown] = await connection.query('SELECT error, hint, holds FROM heliosdb.cdc_readers');
    assert.deepEqual(shown, { error: 'no answer', hint: 'start it', holds: false });
    await readers.advance('orders', { epoch: 1, lsn: 8n, seq: 0 });
    assert.equal((await readers.list())[0]?.failingForMs, undefined);
    await readers.markGap('orders', 'gone');
    await readers.enable('orders', false);
    const [gap] = await readers.list();
    assert.deepEqual([gap?.state, gap?.isEnabled], ['gap', false]);
    await readers.remove('orders');
    assert.deepEqual(await readers.list(), []);
  });
});
