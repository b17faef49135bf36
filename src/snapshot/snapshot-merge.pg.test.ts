import assert from 'node:assert/strict';
import type { Change } from '../contracts/change.ts';
import { snapshotPlacedKeysMax } from '../core/limits.ts';
import type { Connection } from '../postgres/connection.ts';
import { openTextSession, type TextSession } from '../postgres/text-session.ts';
import { openTestConnection } from '../testing/test-connection.ts';
import { testPostgres } from '../testing/test-postgres.ts';
import { placeKeys } from './place-keys.ts';
import { readPoint } from './read-point.ts';
import { SnapshotMerge, type Verdict } from './snapshot-merge.ts';
import { planSnapshot, readSnapshot, type SnapshotSource } from './snapshot-reader.ts';
import type { SnapshotState } from './snapshot-state.ts';
import { SlotLog } from './testing/slot-log.ts';
import { takeWalSample, WalSampleRecorder } from './wal-samples.ts';

describe('merging a snapshot with the changes after it', () => {
  let session: TextSession;
  let sampled: Connection;
  let log: SlotLog;
  let source: SnapshotSource;
  let samples: WalSampleRecorder;
  let url: string;

  before(async () => {
    const postgres = await testPostgres();
    url = postgres.url(await postgres.createDatabase());
    session = await openTextSession(url);
    sampled = await openTestConnection(url);
    log = await SlotLog.open(session);
    samples = new WalSampleRecorder(1);
    source = { connect: () => openTextSession(url), samples };
  });

  after(async () => {
    await log.drop();
    await session.close();
    await sampled.close();
  });

  beforeEach(async () => {
    await session.query('DROP TABLE IF EXISTS public.t');
    await session.query('CREATE TABLE public.t (id int PRIMARY KEY, big text)');
    await session.query('ALTER TABLE public.t ALTER COLUMN big SET STORAGE EXTERNAL');
    await session.query(
      `INSERT INTO public.t SELECT n, repeat('x', 3000) FROM generate_series(1, 40) AS n`,
    );
    await log.read();
    samples.add(await takeWalSample(sampled));
  });

  /** In chunks of ten rows. */
  async function plan(): Promise<SnapshotState> {
    const [row] = await session.query(`SELECT 'public.t'::regclass::oid`);
    const request = { columns: 'all', where: null, mode: 'auto', chunkRows: 10 } as const;
    return planSnapshot(source, { tableOid: Number(row?.[0]), ...request });
  }

  async function read(from: SnapshotState, chunks: number): Promise<SnapshotState> {
    let state = from;
    for await (const event of readSnapshot(source, from)) {
      if (event.kind === 'read') state = event.state;
      if (state.chunks.length - from.chunks.length === chunks) break;
    }
    return state;
  }

  async function verdicts(state: SnapshotState, changes: readonly Change[]): Promise<string[]> {
    const judged = await new SnapshotMerge(state).judge(session, changes);
    return [...judged.verdicts, ...(judged.stop === undefined ? [] : [judged.stop])].map(
      ({ kind }: { readonly kind: string }) => kind,
    );
  }

  it('has what was open all the time and committed afterwards', async () => {
    const writers = await Promise.all([1, 2, 3].map(() => openTextSession(url)));
    for (const [index, writer] of writers.entries()) {
      await writer.query('BEGIN');
      await writer.query('SET LOCAL synchronous_commit = on');
      await writer.query(`INSERT INTO public.t VALUES (${100 + index}, 'early')`);
      await writer.query(`UPDATE public.t SET big = 'early' WHERE id = ${1 + 15 * index}`);
    }
    const half = await read(await plan(), 2);
    await writers[1]?.query('COMMIT');
    const whole = await read(half, Number.POSITIVE_INFINITY);
    for (const writer of writers) {
      await writer.query(`DELETE FROM public.t WHERE id = 40`).catch(() => undefined);
      await writer.query('COMMIT');
      await writer.close();
    }
    const changes = await log.read();
    // The second was seen by the chunk of its new row and not by that of its update.
    const expected = ['skip', 'apply', 'apply', 'apply', 'apply', 'apply', 'apply'];
    assert.deepEqual(await verdicts(whole, changes), expected);
    const merge = new SnapshotMerge(whole);
    assert.ok(changes.slice(0, 2).every(({ position }) => !merge.isOver(position)));
    assert.ok(changes.slice(2).every(({ position }) => merge.isOver(position)));
  });

  it('waits for a chunk that has not been read', async () => {
    const state = await read(await plan(), 2);
    await session.query('UPDATE public.t SET big = NULL WHERE id = 3');
    await session.query('UPDATE public.t SET big = NULL WHERE id = 33');
    await session.query('UPDATE public.t SET big = NULL WHERE id = 4');
    const changes = await log.read();
    assert.deepEqual(await verdicts(await plan(), changes), ['wait']);
    assert.deepEqual(await verdicts(state, changes), ['apply', 'wait']);
    const whole = await read(state, Number.POSITIVE_INFINITY);
    assert.deepEqual(await verdicts(whole, changes), ['apply', 'skip', 'apply']);
  });

  it('reads a moved row again whose values nobody has', async () => {
    const half = await read(await plan(), 2);
    // From a chunk that will not have it into one that was read without it.
    await session.query('UPDATE public.t SET id = -33 WHERE id = 33');
    await session.query('UPDATE public.t SET id = -34, big = NULL WHERE id = 34');
    await session.query('UPDATE public.t SET id = 133 WHERE id = 3');
    const whole = await read(half, Number.POSITIVE_INFINITY);
    const changes = await log.read();
    const { stop } = await new SnapshotMerge(whole).judge(session, changes);
    assert.deepEqual(stop, { kind: 'reread', old: undefined, key: ['-33'] });
    const { row, state } = await readPoint(session, whole, ['-33']);
    assert.deepEqual(row, ['-33', 'x'.repeat(3000)]);
    const expected = ['skip', 'apply-after', 'apply-before'];
    assert.deepEqual(await verdicts(state, changes), expected);
    await session.query('DELETE FROM public.t WHERE id = -33');
    assert.deepEqual(await verdicts(state, await log.read()), ['apply']);
    await assert.rejects(readPoint(session, half, ['30']), TypeError);
  });

  it('removes the row that moved out of a chunk whose rows came twice', async () => {
    let state = await read(await plan(), 2);
    for await (const event of readSnapshot(source, state)) {
      if (event.kind === 'begun') state = event.state;
      if (event.kind === 'rows') break;
    }
    // The first attempt has handed it on under its old key; the second will not find it.
    await session.query('UPDATE public.t SET id = -25 WHERE id = 25');
    const whole = await read(state, Number.POSITIVE_INFINITY);
    const { stop } = await new SnapshotMerge(whole).judge(session, await log.read());
    assert.deepEqual(stop, { kind: 'reread', old: ['25'], key: ['-25'] });
  });

  it('waits for a chunk whose rows are out, whatever was read later', async () => {
    let state = await read(await plan(), 2);
    for await (const event of readSnapshot(source, state)) {
      if (event.kind === 'begun') state = event.state;
      if (event.kind === 'rows') break;
    }
    await session.query('DELETE FROM public.t WHERE id = 25');
    await session.query('DELETE FROM public.t WHERE id = 35');
    await session.query('TRUNCATE public.t');
    const point = await readPoint(session, state, ['5']);
    const [first, , emptied] = (await log.read()) as [Change, Change, Change];
    // The point has seen them all, and the rows that the first attempt handed on have not.
    assert.deepEqual(await verdicts(point.state, [first]), ['wait']);
    assert.deepEqual(await verdicts(point.state, [emptied]), ['wait']);
    const whole = await read(point.state, Number.POSITIVE_INFINITY);
    assert.deepEqual(await verdicts(whole, [first, emptied]), ['apply', 'truncate-part']);
  });

  it('places any number of keys', async () => {
    const whole = await read(await plan(), Number.POSITIVE_INFINITY);
    const keys = Array.from({ length: snapshotPlacedKeysMax * 2 + 1 }, (_, n) => [String(n)]);
    const chunks = (await placeKeys(session, whole, keys)).map(({ chunk }) => chunk);
    const expected = keys.map((_, n) => Math.max(0, Math.min(4, Math.ceil(n / 10) - 1)));
    assert.deepEqual(chunks, expected);
  });

  it('empties only what was read before a TRUNCATE', async () => {
    const half = await read(await plan(), 2);
    await session.query('TRUNCATE public.t');
    await session.query(`INSERT INTO public.t VALUES (5, 'new'), (25, 'new')`);
    const whole = await read(half, Number.POSITIVE_INFINITY);
    const changes = await log.read();
    const part: Verdict = { kind: 'truncate-part', upTo: ['20'], except: [] };
    const judged = await new SnapshotMerge(whole).judge(session, changes);
    assert.deepEqual(judged.verdicts, [part, { kind: 'apply' }, { kind: 'skip' }]);
    const { state } = await readPoint(session, whole, ['5']);
    const again = await new SnapshotMerge(state).judge(session, changes);
    assert.deepEqual(again.verdicts, [
      { ...part, except: [['5']] },
      { kind: 'skip' },
      { kind: 'skip' },
    ]);
    await session.query('TRUNCATE public.t');
    assert.deepEqual(await verdicts(state, await log.read()), ['apply']);
  });

  it('begins anew when rows changed without changes', async () => {
    const half = await read(await plan(), 2);
    await session.query('DELETE FROM public.t WHERE id = 1');
    const whole = await read(half, Number.POSITIVE_INFINITY);
    const [change] = await log.read();
    const rewriting = {
      command: 'ALTER TABLE',
      tableOid: whole.table.oid,
      schema: 'public',
      name: 't',
    };
    const ddl = (rewritesRows: boolean): Change => ({
      ...(change as Change),
      operation: 'DDL',
      table: undefined,
      schemaChange: { ...rewriting, rewritesRows },
    });
    assert.deepEqual(await verdicts(whole, [ddl(true)]), ['restart']);
    assert.deepEqual(await verdicts(whole, [ddl(false)]), ['apply']);
    assert.deepEqual(await verdicts(await read(await plan(), 9), [ddl(true)]), ['skip']);
  });

  it('says which key a change lacks, and does not go on in another epoch', async () => {
    const half = await read(await plan(), 2);
    await session.query('DELETE FROM public.t WHERE id = 1');
    const [change] = (await log.read()) as [Change];
    const without = { ...change, before: [undefined, undefined] };
    await assert.rejects(verdicts(half, [without]), { code: '55000', detail: /column "id"/ });
    const later = { ...change, position: { ...change.position, epoch: 2 } };
    await assert.rejects(verdicts(half, [later]), { code: '55000', detail: /epoch 2/ });
  });
});
