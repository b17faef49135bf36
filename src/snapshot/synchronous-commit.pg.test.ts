import assert from 'node:assert/strict';
import type { Change } from '../contracts/change.ts';
import { openTextSession, type TextSession } from '../postgres/text-session.ts';
import { casesOfRun, seedOfRun } from '../testing/oracle/random.ts';
import { makeTestCluster, type TestServer } from '../testing/test-cluster.ts';
import { openTestConnection } from '../testing/test-connection.ts';
import { SnapshotMerge } from './snapshot-merge.ts';
import { planSnapshot, readSnapshot } from './snapshot-reader.ts';
import type { SnapshotState } from './snapshot-state.ts';
import { SnapshotVisibility } from './snapshot-visibility.ts';
import { runSnapshotCases } from './testing/run-cases.ts';
import { SlotLog } from './testing/slot-log.ts';
import { takeWalSample, WalSampleRecorder } from './wal-samples.ts';

/** Decoded by LSN: what is behind the snapshot's position is applied. */
function judgeByLsn(state: SnapshotState): Pick<SnapshotMerge, 'judge'> {
  const right = new SnapshotMerge(state);
  return {
    async judge(session, changes) {
      const { verdicts, stop } = await right.judge(session, changes);
      const end = BigInt(state.endLsn ?? 0);
      const isBefore = (change: Change | undefined): boolean =>
        state.chunks.at(-1)?.upTo === null && change !== undefined && change.position.lsn < end;
      return {
        verdicts: verdicts.map((verdict, index) =>
          verdict.kind === 'apply' && isBefore(changes[index]) ? { kind: 'skip' } : verdict,
        ),
        stop,
      };
    },
  };
}

describe('a commit that waits for a synchronous standby', () => {
  let server: TestServer;

  before(async function () {
    this.timeout(60_000);
    const cluster = await makeTestCluster();
    server = await cluster.start({ settings: { synchronous_standby_names: 'nobody' } });
  });

  after(() => server.stop());

  async function createDatabase(name: string): Promise<string> {
    const admin = await openTextSession(server.url);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    await admin.close();
    return server.url.replace(/\/postgres$/, `/${name}`);
  }

  it('is decoded before a snapshot sees it, and is applied', async () => {
    const url = await createDatabase('one_commit');
    const session = await openTextSession(url);
    const sampled = await openTestConnection(url);
    const writer = await openTextSession(url);
    const samples = new WalSampleRecorder(1);
    await session.query('CREATE TABLE public.t (id int PRIMARY KEY)');
    await session.query('INSERT INTO public.t VALUES (1)');
    const log = await SlotLog.open(session);
    samples.add(await takeWalSample(sampled));
    const waiting = await commitAndWait(session, writer, 'INSERT INTO public.t VALUES (2)');

    // What pg_snapshot_xmax would say of the next transaction is at most the id of this one, whose
    // commit is behind us already: a log read from such a sample would miss it.
    const [snapshot] = await session.query('SELECT pg_current_snapshot()');
    const { xmax } = SnapshotVisibility.parse(snapshot?.[0] as string);
    const sample = await takeWalSample(sampled);
    assert.ok(xmax <= waiting.xid && waiting.xid < sample.nextXid);
    samples.add(sample);

    const source = { connect: () => openTextSession(url), samples };
    const [oid] = await session.query(`SELECT 'public.t'::regclass::oid`);
    const request = { tableOid: Number(oid?.[0]), columns: 'all', where: null } as const;
    let state = await planSnapshot(source, { ...request, mode: 'auto' });
    const ids: unknown[] = [];
    for await (const event of readSnapshot(source, state)) {
      if (event.kind === 'rows') ids.push(...event.rows.flat());
      if (event.kind === 'read') state = event.state;
    }
    assert.deepEqual(ids, ['1']);

    const changes = await log.read();
    const merge = new SnapshotMerge(state);
    assert.deepEqual(
      changes.map(({ after }) => after),
      [['2']],
    );
    assert.ok((merge.from?.lsn ?? 0n) <= (changes[0]?.position.lsn ?? 0n));
    assert.deepEqual((await merge.judge(session, changes)).verdicts, [{ kind: 'apply' }]);
    const byLsn = await judgeByLsn(state).judge(session, changes);
    assert.deepEqual(byLsn.verdicts, [{ kind: 'skip' }]);

    await session.query(`SELECT pg_cancel_backend(${waiting.pid})`);
    await waiting.done;
    await log.drop();
    for (const opened of [session, writer, sampled]) await opened.close();
  });

  it('makes no difference to a snapshot and the changes after it', async function () {
    const cases = casesOfRun(15);
    this.timeout(120_000 + cases * 3_000);
    const url = await createDatabase('many_commits');
    const run = {
      url,
      seed: seedOfRun(),
      cases,
      mayHang: true,
      isConcurrent: false,
      differencesMax: 3,
    };
    const { differences } = await runSnapshotCases(run);
    assert.equal(differences.length, 0, `\n${differences.join('\n\n')}`);
  });

  it('would be lost by comparing LSNs', async function () {
    this.timeout(120_000);
    const url = await createDatabase('lost_commits');
    const run = { url, seed: 1, cases: 30, mayHang: true, isConcurrent: false, differencesMax: 1 };
    const { differences } = await runSnapshotCases({ ...run, makeMerge: judgeByLsn });
    assert.equal(differences.length, 1);
  });
});

type Waiting = { readonly pid: number; readonly xid: bigint; readonly done: Promise<unknown> };

async function commitAndWait(
  session: TextSession,
  writer: TextSession,
  statement: string,
): Promise<Waiting> {
  await writer.query('BEGIN');
  await writer.query('SET LOCAL synchronous_commit = on');
  await writer.query(statement);
  const [row] = await writer.query('SELECT pg_backend_pid(), pg_current_xact_id()');
  const done = writer.query('COMMIT');
  const pid = Number(row?.[0]);
  const wait = `SELECT 1 FROM pg_stat_activity WHERE pid = ${pid} AND wait_event = 'SyncRep'`;
  while ((await session.query(wait)).length === 0);
  return { pid, xid: BigInt(row?.[1] as string), done };
}
