import assert from 'node:assert/strict';
import type { Connection } from '../postgres/connection.ts';
import { openTextSession, type TextSession } from '../postgres/text-session.ts';
import { openTestConnection } from '../testing/test-connection.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import {
  planSnapshot,
  readSnapshot,
  type SnapshotEvent,
  type SnapshotRequest,
  type SnapshotSource,
} from './snapshot-reader.ts';
import { isRead, restoreSnapshotState, type SnapshotState } from './snapshot-state.ts';
import { takeWalSample, WalSampleRecorder } from './wal-samples.ts';

describe('reading a snapshot', () => {
  let session: TextSession;
  let sampled: Connection;
  let source: SnapshotSource;
  let url: string;

  before(async () => {
    const postgres = await testPostgres();
    url = postgres.url(await postgres.createDatabase());
    session = await openTextSession(url);
    sampled = await openTestConnection(url);
    const samples = new WalSampleRecorder(1);
    samples.add(await takeWalSample(sampled));
    source = { connect: () => openTextSession(url), samples };
  });

  after(() => Promise.all([session.close(), sampled.close()]));

  async function run(...statements: string[]): Promise<void> {
    for (const statement of statements) await session.query(statement);
  }

  async function plan(name: string, more: Partial<SnapshotRequest> = {}): Promise<SnapshotState> {
    const [row] = await session.query(`SELECT 'public.${name}'::regclass::oid`);
    const request = {
      tableOid: Number(row?.[0]),
      columns: 'all',
      where: null,
      mode: 'auto',
    } as const;
    return planSnapshot(source, { ...request, chunkRows: 10, ...more });
  }

  async function readAll(state: SnapshotState): Promise<{ rows: string[]; end: SnapshotState }> {
    const rows: string[] = [];
    let end = state;
    for await (const event of readSnapshot(source, state)) {
      if (event.kind === 'rows') rows.push(...event.rows.map((row) => row.join()));
      if (event.kind === 'read') end = event.state;
    }
    return { rows, end };
  }

  /** Up to and with the first of these events. */
  async function readTo(state: SnapshotState, kind: SnapshotEvent['kind']): Promise<SnapshotState> {
    for await (const event of readSnapshot(source, state)) {
      if (event.kind === kind) return event.kind === 'rows' ? state : event.state;
    }
    throw new TypeError(`no ${kind}`);
  }

  it('goes on after every chunk from what was stored', async () => {
    await run('CREATE TABLE public.resumed AS SELECT n AS id FROM generate_series(1, 95) AS n');
    await run('ALTER TABLE public.resumed ADD PRIMARY KEY (id)', 'ANALYZE public.resumed');
    const whole = await readAll(await plan('resumed'));
    assert.equal(whole.end.chunks.length, 10);
    assert.equal(new Set(whole.rows).size, 95);
    const rows: string[] = [];
    let state = await plan('resumed');
    while (!isRead(state)) {
      state = restoreSnapshotState(JSON.parse(JSON.stringify(state)));
      for await (const event of readSnapshot(source, state)) {
        if (event.kind === 'rows') rows.push(...event.rows.map((row) => row.join()));
        if (event.kind !== 'read') continue;
        state = event.state;
        const { chunksRead, chunksPlanned, estimatedRows, passedRows } = event.progress;
        assert.deepEqual([chunksPlanned, estimatedRows], [10, 95]);
        assert.equal(passedRows, Math.min(95, chunksRead * 10));
        break;
      }
    }
    assert.deepEqual(rows.sort(), whole.rows.sort());
  });

  it('hands over no more than fits into a batch', async () => {
    await run(
      'CREATE TABLE public.wide (id int PRIMARY KEY, big text)',
      `INSERT INTO public.wide SELECT n, repeat('x', 300000) FROM generate_series(1, 120) AS n`,
    );
    const sizes: number[] = [];
    for await (const event of readSnapshot(source, await plan('wide', { chunkRows: 1000 }))) {
      if (event.kind === 'rows') sizes.push(event.rows.length);
    }
    assert.deepEqual(sizes, [64, 13, 13, 13, 13, 4]);
  });

  it('reads the wanted columns of the rows that meet the predicate', async () => {
    await run(
      'CREATE SCHEMA own',
      'CREATE FUNCTION own.is_even(int) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 % 2 = 0 $$',
      'CREATE TABLE public.picked (id int PRIMARY KEY, "Odd name" text, secret text)',
      `INSERT INTO public.picked SELECT n, 'n' || n, 's' FROM generate_series(1, 25) AS n`,
    );
    const where = { sql: 'is_even(id) -- and nothing else', searchPath: 'own' };
    const { rows, end } = await readAll(
      await plan('picked', { columns: ['Odd name', 'id'], where }),
    );
    const even = Array.from({ length: 12 }, (_, n) => `n${2 * n + 2},${2 * n + 2}`);
    assert.deepEqual(rows.sort(), even.sort());
    assert.deepEqual([end.rows, end.chunks.length], [12, 3]);
  });

  it('leaves the children of a table to themselves', async () => {
    await run(
      'CREATE TABLE public.parent (id int PRIMARY KEY)',
      'CREATE TABLE public.child () INHERITS (public.parent)',
      'INSERT INTO public.parent VALUES (1)',
      'INSERT INTO public.child VALUES (2)',
    );
    assert.deepEqual((await readAll(await plan('parent'))).rows, ['1']);
  });

  it('refuses what is not a table of its own', async () => {
    await run(
      'CREATE VIEW public.seen AS SELECT 1',
      'CREATE UNLOGGED TABLE public.unlogged (id int)',
      'CREATE TABLE public.root (id int) PARTITION BY LIST (id)',
      'CREATE TABLE public.leaf PARTITION OF public.root DEFAULT',
      'CREATE TABLE public.keyless (id int)',
    );
    for (const name of ['seen', 'unlogged', 'leaf']) {
      await assert.rejects(plan(name), { code: '42809' }, name);
    }
    await assert.rejects(plan('root', { columns: ['id', 'x'] }), { code: '42703' });
    await assert.rejects(plan('keyless', { mode: 'chunks' }), {
      code: '55000',
      detail: 'It has no primary key and no index as replica identity.',
    });
    await assert.rejects(planSnapshot(source, { ...request(1) }), { code: '42P01' });
  });

  function request(tableOid: number): SnapshotRequest {
    return { tableOid, columns: 'all', where: null, mode: 'auto' };
  }

  it('stops when the table is not what it was', async () => {
    const changes: Record<string, readonly [string, string]> = {
      'ALTER TABLE public.changing ALTER COLUMN note TYPE numeric': ['55000', 'columns'],
      'ALTER TABLE public.changing ADD COLUMN more int DEFAULT 1': ['55000', 'columns'],
      'ALTER TABLE public.changing DROP CONSTRAINT changing_pkey': ['55000', 'key'],
      'DROP TABLE public.changing_1': ['55000', 'partition'],
      'DROP TABLE public.changing': ['42P01', ''],
    };
    for (const [statement, [code, what]] of Object.entries(changes)) {
      await run(
        'CREATE TABLE public.changing (id int PRIMARY KEY, note int) PARTITION BY RANGE (id)',
        'CREATE TABLE public.changing_1 PARTITION OF public.changing FOR VALUES FROM (0) TO (15)',
        'CREATE TABLE public.changing_2 PARTITION OF public.changing DEFAULT',
        'INSERT INTO public.changing SELECT n, n FROM generate_series(1, 30) AS n',
      );
      const state = await readTo(await plan('changing'), 'read');
      await run(statement);
      const failure = await readAll(state).catch((error: unknown) => error);
      assert.equal((failure as { code?: string }).code, code, statement);
      assert.match((failure as { detail?: string }).detail ?? '', new RegExp(what), statement);
      await run('DROP TABLE IF EXISTS public.changing');
    }
  });

  it('takes a new name, a new partition and a TRUNCATE as they come', async () => {
    await run(
      'CREATE TABLE public.early (id int PRIMARY KEY) PARTITION BY RANGE (id)',
      'CREATE TABLE public.early_1 PARTITION OF public.early FOR VALUES FROM (0) TO (100)',
      'INSERT INTO public.early SELECT n FROM generate_series(1, 30) AS n',
    );
    const state = await readTo(await plan('early'), 'read');
    await run(
      'TRUNCATE public.early',
      'ALTER TABLE public.early RENAME TO late',
      'CREATE TABLE public.early_2 PARTITION OF public.late FOR VALUES FROM (100) TO (200)',
      'INSERT INTO public.late VALUES (150)',
    );
    assert.deepEqual((await readAll(state)).rows, ['150']);
  });

  it('reads again what is rewritten between its snapshot and its lock', async () => {
    await run(
      'CREATE TABLE public.rewritten AS SELECT n AS id, n AS note FROM generate_series(1, 5) AS n',
      'ALTER TABLE public.rewritten ADD PRIMARY KEY (id)',
      'BEGIN',
      'ALTER TABLE public.rewritten ALTER COLUMN note TYPE int USING note + 1',
    );
    const reading = readAll(await planOutside('rewritten'));
    const blocked = `SELECT 1 FROM pg_locks WHERE NOT granted
      AND relation IN (SELECT oid FROM pg_class WHERE relname LIKE 'rewritten%')`;
    while ((await session.query(blocked)).length === 0);
    await run('COMMIT');
    assert.deepEqual((await reading).rows.sort(), ['1,2', '2,3', '3,4', '4,5', '5,6']);
  });

  /** As it was before the transaction of the session. */
  async function planOutside(name: string): Promise<SnapshotState> {
    const [row] = await session.query(`SELECT oid FROM pg_class WHERE relname = '${name}'`);
    return planSnapshot(source, request(Number(row?.[0])));
  }

  it('says what the role may not read', async () => {
    await run(
      'CREATE TABLE public.guarded (id int PRIMARY KEY, secret text)',
      'INSERT INTO public.guarded VALUES (1)',
      'CREATE ROLE snapshot_reader',
      'GRANT SELECT (id) ON public.guarded TO snapshot_reader',
    );
    const owned: SnapshotSource = {
      ...source,
      async connect() {
        const opened = await openTextSession(url);
        await opened.query('SET ROLE snapshot_reader');
        return opened;
      },
    };
    const state = await plan('guarded');
    const refused = readSnapshot(owned, state).next();
    await assert.rejects(refused, { code: '42501', retryable: false });
    const part = readSnapshot(owned, await plan('guarded', { columns: ['id'] }));
    const kinds = [];
    for await (const event of part) kinds.push(event.kind);
    assert.deepEqual(kinds, ['begun', 'rows', 'read']);
    await run('ALTER TABLE public.guarded ENABLE ROW LEVEL SECURITY');
    const hidden = readSnapshot(owned, await plan('guarded', { columns: ['id'] })).next();
    await assert.rejects(hidden, { code: '42501' });
    await run('DROP TABLE public.guarded', 'DROP ROLE snapshot_reader');
  });

  it('can be continued when the connection is lost or it is stopped within a chunk', async () => {
    await run(
      'CREATE TABLE public.torn AS SELECT n AS id FROM generate_series(1, 500) AS n',
      'ALTER TABLE public.torn ADD PRIMARY KEY (id)',
    );
    const state = await plan('torn', { chunkRows: 400 });
    for await (const event of readSnapshotUntilLost(state)) assert.notEqual(event.kind, 'read');
    const stop = new AbortController();
    const reading = readSnapshot({ ...source, signal: stop.signal }, state);
    await reading.next();
    await reading.next();
    stop.abort();
    await assert.rejects(reading.next(), { code: '08006', retryable: true });
    assert.equal((await readAll(state)).rows.length, 500);
  });

  /** Ends the session in the middle of a chunk. */
  async function* readSnapshotUntilLost(state: SnapshotState): AsyncGenerator<SnapshotEvent> {
    const events = readSnapshot(source, state);
    yield (await events.next()).value as SnapshotEvent;
    yield (await events.next()).value as SnapshotEvent;
    await run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'idle in transaction'`);
    await assert.rejects(events.next(), { retryable: true });
  }

  it('waits for transactions that are older than the samples', async () => {
    await run('CREATE TABLE public.waiting (id int PRIMARY KEY)');
    const old = await openTextSession(url);
    await old.query('BEGIN');
    await old.query('INSERT INTO public.waiting VALUES (1)');
    const samples = new WalSampleRecorder(1);
    samples.add(await takeWalSample(sampled));
    const late = { ...source, samples };
    const state = await plan('waiting');
    const early = readSnapshot(late, state).next();
    await assert.rejects(early, { code: '55000', retryable: true });
    await old.query('COMMIT');
    const kinds = [];
    for await (const event of readSnapshot(late, state)) kinds.push(event.kind);
    assert.deepEqual(kinds, ['begun', 'rows', 'read']);
    await old.close();
    const other = { ...source, samples: new WalSampleRecorder(2) };
    await assert.rejects(readSnapshot(other, state).next(), { code: '55000', retryable: false });
  });

  it('reports what Postgres says of the predicate', async () => {
    await run('CREATE TABLE public.dividing (id int PRIMARY KEY)');
    await run('INSERT INTO public.dividing VALUES (0)');
    const wrong = async (sql: string): Promise<unknown> =>
      readAll(await plan('dividing', { where: { sql, searchPath: '' } }));
    await assert.rejects(wrong('1 / id = 1'), { code: '22012', retryable: false });
    await assert.rejects(wrong('nothing = 1'), { code: '42703', retryable: false });
    await assert.rejects(wrong('true); SELECT (1'), { code: '42601', retryable: false });
  });
});
