import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../app/eventually.ts';
import { CapturedDatabase } from '../../testing/crash/captured-database.ts';
import type { NodeUnderTest } from '../../testing/crash/node-under-test.ts';
import { signal } from '../../testing/process-tree.ts';

const insert = (id: number): string => `INSERT INTO orders VALUES (${id})`;
const table = 'CREATE TABLE orders (id integer PRIMARY KEY)';

describe('capture in trouble', function () {
  this.timeout(90_000);
  let captured: CapturedDatabase;
  const others: NodeUnderTest[] = [];

  afterEach(async () => {
    for (const node of others.splice(0)) await node.remove();
    await captured.close();
  });

  /** The slot for itself: the engine reads from it no more. */
  async function withoutEngine(work: () => Promise<unknown>): Promise<void> {
    await captured.node.killAll();
    await captured.until(() => true, 'the server answers');
    const free = 'SELECT bool_and(NOT active) AS free FROM pg_replication_slots';
    while ((await captured.sql(free))[0]?.['free'] !== true)
      await captured.sql('SELECT pg_sleep(0.05)');
    await work();
    await captured.node.start();
  }

  const streamsIn = (epoch: number, url?: string): Promise<unknown> =>
    captured.until((row) => row.state === 'streaming' && row.epoch === epoch, 'no epoch', url);

  it('stops when its slot is gone, and goes on in another epoch when told', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    assert.deepEqual(await captured.inserted('orders'), ['1']);
    await withoutEngine(() =>
      captured.sql('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots'),
    );
    const { error, epoch, ...status } = await captured.fails('55000');
    assert.match(error ?? '', /is gone/);
    assert.equal(epoch, 1);
    assert.ok(status.log_start !== null && status.log_end !== null, 'the log is there');
    assert.notEqual(status.changes, '0');
    const line = captured.node.output.split('\n').find((said) => said.includes('"55000"'));
    const logged = JSON.parse(line ?? '{}') as Record<string, unknown>;
    assert.equal(logged['message'], 'capture stopped');
    assert.equal(logged['error'], 'changes are missing: capture stopped at a gap');
    await captured.sql(insert(2));
    await assert.rejects(captured.sql('CALL heliosdb.resume_capture()'), /without a gap/);
    await captured.sql('CALL heliosdb.resume_capture(true)');
    await streamsIn(2);
    await captured.sql(insert(3));
    const changes = await captured.changes();
    const rows = changes.filter(({ operation }) => operation === 'INSERT');
    assert.deepEqual(
      rows.map(({ position, after }) => [position.epoch, after?.[0]]),
      [
        [1, '1'],
        [2, '3'],
      ],
    );
  });

  it('stops when somebody has advanced its slot, however often it looks', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(table);
    await captured.changes();
    await withoutEngine(async () => {
      await captured.sql(insert(1));
      await captured.sql(
        'SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots',
      );
    });
    await captured.fails('55000');
    const [shown] = await captured.sql(
      'SELECT confirmed > log_end AS moved FROM heliosdb.cdc_status',
    );
    assert.deepEqual(shown, { moved: true }, 'what is missing is to be seen');
    await captured.node.killAll();
    await captured.node.start();
    await captured.fails('55000');
    await captured.sql('CALL heliosdb.resume_capture(true)');
    await streamsIn(2);
  });

  it('is taken over from a node that was killed, without a gap', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    assert.deepEqual(await captured.inserted('orders'), ['1']);
    const second = captured.anotherNode();
    others.push(second);
    await second.start();
    await captured.node.killAll();
    await captured.sql(insert(2));
    assert.deepEqual((await captured.inserted('orders', second)).slice(-1), ['2']);
    assert.equal((await captured.is('streaming')).epoch, 1);
  });

  it('is taken over with a log that does not pretend to have what was before', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    await captured.sql(insert(2));
    const early = (await captured.changes()).find(({ operation }) => operation === 'INSERT')!;
    const [{ end }] = (await captured.sql('SELECT pg_current_wal_lsn() AS end')) as [
      { end: string },
    ];
    const isConfirmed = `SELECT FROM pg_replication_slots WHERE confirmed_flush_lsn >= '${end}'`;
    assert.ok(await eventually(async () => (await captured.sql(isConfirmed)).length > 0, 10_000));
    const second = captured.anotherNode();
    others.push(second);
    await second.start();
    await captured.node.killAll();
    await captured.sql(insert(3));
    assert.deepEqual(await captured.inserted('orders', second), ['3']);
    const reader = captured.logOf(second);
    const behind = { kind: 'after', position: early.position } as const;
    const read = { from: behind, tables: 'all', schemaChanges: true, changesMax: 10 } as const;
    await assert.rejects(reader.read(read), { code: '22023' });
    await reader.close();
  });

  it('is taken over from a node that stands still, which does no harm when it wakes', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    await captured.inserted('orders');
    const second = captured.anotherNode();
    others.push(second);
    await second.start();
    const stalled = captured.node.enginePid ?? 0;
    signal(stalled, 'SIGSTOP');
    await captured.sql(insert(2));
    assert.deepEqual((await captured.inserted('orders', second)).slice(-1), ['2']);
    const owner = (await captured.sql('SELECT owner, term FROM heliosdb.capture_state'))[0];
    signal(stalled, 'SIGCONT');
    await captured.sql(insert(3));
    assert.deepEqual((await captured.inserted('orders', second)).slice(-1), ['3']);
    assert.deepEqual(
      (await captured.sql('SELECT owner, term FROM heliosdb.capture_state'))[0],
      owner,
    );
  });

  it('keeps silent in a copy of the database until that is adopted', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    await captured.inserted('orders');
    await captured.node.killAll();
    const [slot] = await captured.sql('SELECT slot_name FROM pg_replication_slots');
    await captured.sql('CREATE DATABASE copied TEMPLATE postgres', captured.urlOf('template1'));
    const copied = captured.urlOf('copied');
    const node = captured.anotherNode(['--roles', 'engine', '--databases', 'copied']);
    others.push(node);
    await node.start();
    const { error } = await captured.fails('55000', copied);
    assert.match(error ?? '', /copy of one that is captured/);
    const slots = await captured.sql('SELECT slot_name FROM pg_replication_slots');
    assert.deepEqual(slots, [slot]);
    await captured.sql('CALL heliosdb.adopt()', copied);
    await streamsIn(2, copied);
  });

  it('stops on a server that was restored to the past', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    await captured.inserted('orders');
    await captured.node.stop();
    await captured.stopServer();
    const backup = `${captured.cluster.directory}.past`;
    const copy = (from: string, to: string): void => {
      rmSync(to, { recursive: true, force: true });
      assert.equal(spawnSync('cp', ['-a', from, to]).status, 0);
    };
    copy(captured.cluster.directory, backup);
    await captured.startServer();
    await captured.node.start();
    await captured.sql(insert(2));
    assert.deepEqual(await captured.inserted('orders'), ['1', '2']);
    await captured.node.stop();
    await captured.stopServer();
    copy(backup, captured.cluster.directory);
    await captured.startServer();
    await captured.node.start();
    const { error } = await captured.fails('55000');
    assert.match(error ?? '', /restored/);
    await captured.sql('CALL heliosdb.resume_capture(true)');
    await streamsIn(2);
    await captured.sql(insert(20));
    assert.deepEqual(await captured.inserted('orders'), ['1', '2', '20']);
  });

  it('leaves nothing behind when it is switched off, and begins a new epoch when on again', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(table);
    await captured.sql('CALL heliosdb.disable_capture()');
    await captured.is('off');
    const left = `SELECT (SELECT count(*) FROM pg_replication_slots)
      + (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_event_trigger) AS n`;
    while (Number((await captured.sql(left))[0]?.['n']) > 0)
      await captured.sql('SELECT pg_sleep(0.05)');
    await captured.sql('CALL heliosdb.enable_capture()');
    await streamsIn(2);
    await captured.sql(insert(1));
    assert.deepEqual(await captured.inserted('orders'), ['1']);
  });

  it('says that the server has no slot free, and begins when it has', async () => {
    captured = await CapturedDatabase.make({ settings: { max_replication_slots: '1' } });
    await captured.sql("SELECT pg_create_logical_replication_slot('taken', 'pgoutput')");
    await captured.node.start();
    await captured.fails('53400');
    await captured.sql("SELECT pg_drop_replication_slot('taken')");
    await captured.is('streaming');
  });

  it('shows the log that is there while it may not go on', async () => {
    captured = await CapturedDatabase.make({ role: 'no_replicator' });
    await captured.sql(`CREATE ROLE no_replicator LOGIN REPLICATION;
      GRANT CREATE ON DATABASE postgres TO no_replicator;
      GRANT CREATE ON SCHEMA public TO no_replicator`);
    const own = captured.urlOf('postgres', 'no_replicator');
    await captured.sql(table, own);
    await captured.node.start();
    await captured.is('streaming');
    await captured.sql(insert(1), own);
    assert.deepEqual(await captured.inserted('orders'), ['1']);
    await captured.sql(`ALTER ROLE no_replicator NOREPLICATION;
      SELECT pg_terminate_backend(pid) FROM pg_stat_replication`);
    const { log_start, log_end, changes } = await captured.fails('42501');
    assert.ok(log_start !== null && log_end !== null);
    assert.notEqual(changes, '0');
  });

  it('says that wal_level is not logical', async () => {
    captured = await CapturedDatabase.make({ settings: { wal_level: 'replica' } });
    await captured.node.start();
    const { error } = await captured.fails('55000');
    assert.match(error ?? '', /wal_level = logical/);
  });

  it('captures what a role owns that is no superuser, also what it makes later', async () => {
    captured = await CapturedDatabase.make({ role: 'owner_of_some' });
    await captured.sql(`CREATE ROLE owner_of_some LOGIN REPLICATION;
      GRANT CREATE ON DATABASE postgres TO owner_of_some;
      GRANT CREATE ON SCHEMA public TO owner_of_some;
      CREATE TABLE foreigner (id integer PRIMARY KEY)`);
    const own = captured.urlOf('postgres', 'owner_of_some');
    await captured.sql(table, own);
    await captured.node.start();
    await captured.is('streaming');
    await captured.sql(insert(1), own);
    assert.deepEqual(await captured.inserted('orders'), ['1']);
    const [seen] = await captured.sql(
      "SELECT problem, hint FROM heliosdb.cdc_tables WHERE table_name = 'foreigner'",
      own,
    );
    assert.match(String(seen?.['problem']), /does not own/);
    await captured.sql('CREATE TABLE later (id integer PRIMARY KEY)', own);
    const listed = "SELECT operations FROM heliosdb.cdc_tables WHERE table_name = 'later'";
    while (!String((await captured.sql(listed, own))[0]?.['operations']).includes('UPDATE')) {
      await captured.sql('SELECT pg_sleep(0.05)');
    }
    await captured.sql('INSERT INTO later VALUES (7); UPDATE later SET id = 8', own);
    assert.deepEqual(await captured.inserted('later'), ['7']);
  });

  it('says that the disk is full, and misses nothing when it is not any more', async function () {
    captured = await CapturedDatabase.make();
    const { logDirectory } = captured.node;
    const mounted = spawnSync('sh', [
      '-c',
      `mkdir -p "$1" && mount -t tmpfs -o size=3m,mode=0700 tmpfs "$1"`,
      'sh',
      logDirectory,
    ]);
    if (mounted.status !== 0) {
      if (this.test !== undefined) this.test.title += ' (needs the right to mount)';
      this.skip();
    }
    try {
      await captured.node.start();
      await captured.is('streaming');
      await captured.sql(`CREATE TABLE wide (id integer PRIMARY KEY, v text);
        INSERT INTO wide SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) AS n`);
      const { error } = await captured.fails('53100');
      assert.match(error ?? '', /no space/);
      spawnSync('mount', ['-o', 'remount,size=200m', logDirectory]);
      await captured.sql('INSERT INTO wide VALUES (5001)');
      const ids = await captured.inserted('wide');
      assert.deepEqual(
        ids,
        Array.from({ length: 5001 }, (_, n) => String(n + 1)),
      );
    } finally {
      await captured.node.killAll();
      spawnSync('umount', ['-l', logDirectory]);
    }
  });

  it('says that its log is damaged, and begins again where the slot is when that is gone', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    await captured.inserted('orders');
    await captured.node.killAll();
    const { logDirectory } = captured.node;
    cpSync(logDirectory, `${logDirectory}.kept`, { recursive: true });
    writeFileSync(join(logDirectory, 'data.mdb'), Buffer.alloc(64 * 1024, 7));
    await captured.node.start();
    await captured.until(
      ({ error_code }) => ['XX001', '58030'].includes(error_code ?? ''),
      'no error',
    );
    rmSync(logDirectory, { recursive: true });
    await captured.is('streaming');
    await captured.sql(insert(2));
    assert.deepEqual((await captured.inserted('orders')).slice(-1), ['2']);
  });
});
