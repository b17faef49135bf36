import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { eventually } from '../../app/eventually.ts';
import { printLsn } from '../../core/lsn.ts';
import { CapturedDatabase, patienceMs } from '../../testing/crash/captured-database.ts';
import { crashSettings } from '../../testing/crash/crash-settings.ts';
import { NodeUnderTest } from '../../testing/crash/node-under-test.ts';
import { requireService } from '../../testing/require-service.ts';
import { makeTestCluster } from '../../testing/test-cluster.ts';

const insert = (id: number): string => `INSERT INTO orders VALUES (${id})`;
const table = 'CREATE TABLE orders (id integer PRIMARY KEY)';

describe('capture that is interrupted', function () {
  this.timeout(90_000);
  let captured: CapturedDatabase;

  afterEach(() => captured.close());

  const hits = async (node: NodeUnderTest, failpoint: string): Promise<void> => {
    const isHit = await eventually(() => node.failpointsHit().includes(failpoint), patienceMs);
    assert.ok(isHit, `${failpoint} was not reached\n${node.output}`);
  };

  const counted = async (text: string): Promise<number> =>
    Number((await captured.sql(`SELECT count(*) AS n FROM ${text}`))[0]?.['n']);

  it('begins once, wherever its beginning is interrupted', async () => {
    captured = await CapturedDatabase.make();
    for (const step of ['slot', 'epoch', 'prepared']) {
      const database = `begun_${step}`;
      await captured.sql(`CREATE DATABASE ${database}`);
      const url = captured.urlOf(database);
      const node = new NodeUnderTest({ upstream: url, flags: ['--roles', 'engine'] });
      try {
        await node.start(`capture.${step}:1`);
        await hits(node, `capture.${step}`);
        await node.killAll();
        await captured.sql(`${table}; ${insert(1)}`, url);
        await node.start();
        const { epoch } = await captured.is('streaming', url);
        assert.equal(epoch, 1, step);
        await captured.sql(insert(2), url);
        const rows = (await captured.changes(node, url)).filter(({ after }) => after !== undefined);
        const ids = rows.map(({ after }) => after?.[0]);
        assert.deepEqual(ids, step === 'slot' ? ['2'] : ['1', '2']);
        const slots = `pg_replication_slots WHERE database = '${database}'`;
        assert.equal(await counted(slots), 1, step);
      } finally {
        await node.remove();
      }
    }
  });

  it('tells that it is there while an open transaction keeps it from beginning', async () => {
    captured = await CapturedDatabase.make();
    const writer = new Client({ connectionString: captured.url });
    await writer.connect();
    try {
      await writer.query('BEGIN; CREATE TABLE open (id integer)');
      await captured.node.start();
      const beats = async (): Promise<number> => {
        const waiting = `SELECT extract(epoch FROM heartbeat_at - started_at) AS s
          FROM heliosdb.nodes WHERE EXISTS (SELECT FROM pg_stat_activity
            WHERE backend_type = 'walsender' AND wait_event_type = 'Lock')`;
        const rows = await captured.sql(waiting).catch(() => []);
        return Number(rows[0]?.['s'] ?? 0);
      };
      assert.ok(await eventually(async () => (await beats()) > 2, patienceMs));
      await writer.query('COMMIT');
      await captured.is('streaming');
    } finally {
      await writer.end();
    }
  });

  it('leaves no slot and finds no gap when switching off is interrupted', async () => {
    captured = await CapturedDatabase.open();
    await captured.node.killAll();
    await captured.node.start('capture.switch-off:1');
    await captured.is('streaming');
    await captured.sql('CALL heliosdb.disable_capture()');
    await hits(captured.node, 'capture.switch-off');
    await captured.node.killAll();
    assert.equal(await counted('pg_replication_slots'), 1);
    await captured.node.start();
    assert.ok(
      await eventually(async () => (await counted('pg_replication_slots')) === 0, patienceMs),
    );
    await captured.sql('CALL heliosdb.enable_capture()');
    assert.equal((await captured.is('streaming')).error, null);
  });

  it('finds no gap when it is wanted again before switching off was complete', async () => {
    captured = await CapturedDatabase.open();
    await captured.node.killAll();
    await captured.node.start('capture.switch-off:1');
    await captured.is('streaming');
    await captured.sql('CALL heliosdb.disable_capture()');
    await hits(captured.node, 'capture.switch-off');
    await captured.node.killAll();
    await captured.sql(`CALL heliosdb.enable_capture(); ${table}`);
    await captured.node.start();
    const { error } = await captured.until(
      ({ state, epoch }) => state === 'streaming' && epoch === 2,
      'no epoch',
    );
    assert.equal(error, null);
    assert.equal(await counted('pg_replication_slots'), 1);
  });

  it('has commits once that wait for a standby that never answers', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(table);
    await captured.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await captured.sql('SELECT pg_reload_conf()');
    assert.ok(
      await eventually(async () => {
        const [row] = await captured.sql('SHOW synchronous_standby_names');
        return row?.['synchronous_standby_names'] === 'nobody';
      }, patienceMs),
    );
    const writing = [1, 2, 3].map((id) => captured.sql(insert(id)));
    const waiting = "pg_stat_activity WHERE wait_event = 'SyncRep'";
    const isWaiting = async (n: number): Promise<boolean> => (await counted(waiting)) === n;
    assert.ok(await eventually(() => isWaiting(3), patienceMs));
    const placesOf = async (): Promise<string[]> => {
      const changes = await captured.changes();
      return changes
        .filter(({ after }) => after !== undefined)
        .map(({ position, after }) => `${printLsn(position.lsn)} ${position.seq} ${after?.[0]}`);
    };
    const places = await placesOf();
    assert.deepEqual(places.map((place) => place.split(' ')[2]).sort(), ['1', '2', '3']);
    assert.equal(await counted('orders'), 0);
    await captured.node.kill('engine');
    await captured.sql(`SELECT pg_cancel_backend(pid) FROM ${waiting} LIMIT 1`);
    assert.ok(await eventually(() => isWaiting(2), patienceMs));
    await captured.is('streaming');
    await captured.sql('ALTER SYSTEM RESET synchronous_standby_names');
    await captured.sql('SELECT pg_reload_conf()');
    await Promise.all(writing);
    assert.equal(await counted('orders'), 3);
    assert.deepEqual(await placesOf(), places);
  });

  it('goes on with a log whose end of retention was interrupted', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`CREATE TABLE wide (id integer, v text)`);
    await captured.node.killAll();
    await captured.sql(`CALL heliosdb.set_capture_options('{"retention_bytes": "100kB"}')`);
    await captured.node.start('capture.trim:1');
    await captured.is('streaming');
    for (let round = 0; round < 4; round += 1) {
      await captured.sql(`INSERT INTO wide SELECT n, repeat('x', 100)
        FROM generate_series(${round * 1000 + 1}, ${round * 1000 + 1000}) AS n`);
    }
    await hits(captured.node, 'capture.trim');
    await captured.node.killAll();
    await captured.node.start();
    await captured.is('streaming');
    await captured.sql('INSERT INTO wide VALUES (4001)');
    let ids: number[] = [];
    const isRead = async (): Promise<boolean> => {
      // It may be shortened while it is read, which is refused.
      ids = await captured.inserted('wide').then(
        (texts) => texts.map(Number),
        () => [],
      );
      return ids.length > 0;
    };
    assert.ok(await eventually(isRead, patienceMs));
    assert.equal(ids.at(-1), 4001);
    assert.deepEqual(
      ids,
      ids.map((_, index) => 4001 - ids.length + 1 + index),
    );
  });

  it('says that its log is cut off, although looking at that ends a process', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    await captured.inserted('orders');
    await captured.node.killAll();
    truncateSync(join(captured.node.logDirectory, 'data.mdb'), 8_192);
    await captured.node.start();
    await captured.fails('XX001');
    rmSync(captured.node.logDirectory, { recursive: true });
    await captured.sql(insert(2));
    assert.deepEqual((await captured.inserted('orders')).slice(-1), ['2']);
    assert.equal((await captured.is('streaming')).epoch, 1);
  });

  it('says that a role lacks REPLICATION, and begins when it has it', async () => {
    captured = await CapturedDatabase.make({ role: 'without_replication' });
    await captured.sql(`CREATE ROLE without_replication LOGIN;
      GRANT CREATE ON DATABASE postgres TO without_replication`);
    await captured.node.start();
    const { hint } = await captured.fails('42501');
    assert.match(hint ?? '', /REPLICATION/);
    await captured.sql('ALTER ROLE without_replication REPLICATION');
    await captured.is('streaming');
  });

  it('keeps silent where the catalog is of another server, until it is adopted', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql("UPDATE heliosdb.installation SET system_id = '1'");
    await captured.node.kill('engine');
    assert.match((await captured.fails('55000')).error ?? '', /copy of one that is captured/);
    await captured.sql('CALL heliosdb.adopt()');
    await captured.until(({ state, epoch }) => state === 'streaming' && epoch > 1, 'no epoch');
    await captured.sql(`${table}; ${insert(1)}`);
    assert.deepEqual((await captured.inserted('orders')).slice(-1), ['1']);
  });

  it('stops on a restored server, even when its WAL has come further than the log', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    await captured.inserted('orders');
    await captured.stopServer();
    const { directory } = captured.cluster;
    copyDirectory(directory, `${directory}.past`);
    await captured.startServer();
    await captured.is('streaming');
    await captured.sql(insert(2));
    assert.deepEqual(await captured.inserted('orders'), ['1', '2']);
    await captured.node.killAll();
    await captured.stopServer();
    copyDirectory(`${directory}.past`, directory);
    await captured.startServer();
    await captured.sql(`INSERT INTO orders SELECT generate_series(1000, 20000)`);
    await captured.node.start();
    await captured.fails('55000');
    await captured.node.killAll();
    await captured.node.start();
    assert.match((await captured.fails('55000')).error ?? '', /restored/);
  });

  /** A standby of the captured server, promoted in its place. */
  async function promoteStandby(options: {
    readonly keepsSlot: boolean;
  }): Promise<() => Promise<void>> {
    const port = Number(new URL(captured.url).port);
    const standby = await makeTestCluster();
    await captured.node.killAll();
    await captured.stopServer();
    copyDirectory(captured.cluster.directory, standby.directory);
    const slots = join(standby.directory, 'pg_replslot');
    for (const name of readdirSync(slots)) rmSync(join(slots, name), { recursive: true });
    writeFileSync(join(standby.directory, 'standby.signal'), '');
    const settings = {
      primary_conninfo: `host=127.0.0.1 port=${port} user=postgres dbname=postgres`,
      primary_slot_name: 'standby',
      hot_standby_feedback: 'on',
    };
    await captured.startServer(options.keepsSlot ? { synchronized_standby_slots: 'standby' } : {});
    await captured.sql("SELECT pg_create_physical_replication_slot('standby', true)");
    await captured.node.start();
    const copy = await standby.start({ settings: { ...crashSettings, ...settings } });
    const onCopy = (text: string): Promise<Record<string, unknown>[]> =>
      captured.sql(text, copy.url).catch(() => []);
    const has = async (condition: string): Promise<boolean> =>
      (await onCopy(`SELECT ${condition} AS yes`))[0]?.['yes'] === true;
    await captured.is('streaming');
    await captured.sql(insert(2));
    if (options.keepsSlot) {
      const kept = 'EXISTS (SELECT FROM pg_replication_slots WHERE synced AND NOT temporary)';
      const isKept = async (): Promise<boolean> => {
        // Only a slot that has moved since the standby began can be kept.
        await captured.sql('SELECT pg_log_standby_snapshot()');
        await onCopy('SELECT pg_sync_replication_slots()');
        return has(kept);
      };
      assert.ok(await eventually(isKept, patienceMs), 'the slot was not synchronised');
    }
    await captured.sql(insert(3));
    assert.deepEqual(await captured.inserted('orders'), ['1', '2', '3']);
    const [{ lsn } = {}] = await captured.sql('SELECT pg_current_wal_flush_lsn() AS lsn');
    const caughtUp = `pg_last_wal_replay_lsn() >= '${String(lsn)}'`;
    assert.ok(await eventually(() => has(caughtUp), patienceMs), 'the standby does not catch up');
    await captured.node.killAll();
    await captured.stopServer();
    await onCopy('SELECT pg_promote()');
    assert.ok(await eventually(() => has('NOT pg_is_in_recovery()'), patienceMs));
    await copy.stop();
    const { stop } = await standby.start({ port, settings: crashSettings });
    await captured.node.start();
    return stop;
  }

  it('goes on without a gap on a promoted standby that kept its slot', async function () {
    captured = await CapturedDatabase.open();
    const [version] = await captured.sql("SELECT current_setting('server_version_num')::int AS n");
    requireService(this, 'Postgres 17 or newer', Number(version?.['n']) >= 170_000);
    await captured.sql(`${table}; ${insert(1)}`);
    const stop = await promoteStandby({ keepsSlot: true });
    try {
      await captured.sql(insert(4));
      assert.deepEqual(await captured.inserted('orders'), ['1', '2', '3', '4']);
      assert.equal((await captured.is('streaming')).epoch, 1);
    } finally {
      await captured.node.killAll();
      await stop();
    }
  });

  it('stops on a promoted standby that has no slot', async () => {
    captured = await CapturedDatabase.open();
    await captured.sql(`${table}; ${insert(1)}`);
    const stop = await promoteStandby({ keepsSlot: false });
    try {
      await captured.fails('55000');
      await captured.sql('CALL heliosdb.resume_capture(true)');
      await captured.until(({ state, epoch }) => state === 'streaming' && epoch === 2, 'no epoch');
      await captured.sql(insert(4));
      assert.deepEqual(await captured.inserted('orders'), ['1', '2', '3', '4']);
    } finally {
      await captured.node.killAll();
      await stop();
    }
  });
});

function copyDirectory(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(join(to, '..'), { recursive: true });
  assert.equal(spawnSync('cp', ['-a', from, to]).status, 0);
}
