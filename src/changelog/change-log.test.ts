import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Change, type ChangePosition, comparePositions } from '../contracts/change.ts';
import type { LogReader } from '../contracts/log-reader.ts';
import { LocalLogReader } from './local-log-reader.ts';
import { type TestChange, TestLog } from './testing/written-log.ts';

const everything = { tables: 'all', schemaChanges: true } as const;

/** What a test says of a change. */
function told({ position, after }: Change): string {
  return `${position.lsn}-${position.seq} ${after?.[0]}`;
}

async function readAll(
  reader: LogReader,
  wanted: { readonly tables: 'all' | ReadonlySet<number>; readonly changesMax: number },
): Promise<string[]> {
  const all: string[] = [];
  let from: Parameters<LogReader['read']>[0]['from'] = { kind: 'start' };
  for (;;) {
    const batch = await reader.read({ from, schemaChanges: true, ...wanted });
    all.push(...batch.changes.map(told));
    if (batch.isAtEnd) return all;
    from = { kind: 'after', position: batch.through };
  }
}

async function readAllBackward(
  reader: LogReader,
  wanted: { readonly tables: 'all' | ReadonlySet<number>; readonly changesMax: number },
): Promise<string[]> {
  const all: string[] = [];
  let before: ChangePosition | undefined;
  for (;;) {
    const batch = await reader.readBackward({ before, schemaChanges: true, ...wanted });
    all.unshift(...batch.changes.map(told));
    if (batch.isAtStart) return all;
    before = batch.before;
  }
}

describe('the change log', () => {
  let log: TestLog;
  let reader: LocalLogReader;

  beforeEach(async () => {
    log = new TestLog();
    await log.open();
    reader = new LocalLogReader({ directory: log.directory, database: 'shop' });
  });

  afterEach(async () => {
    await reader.close();
    await log.close();
  });

  async function written(): Promise<void> {
    await log.writer.flush();
    await log.writer.sync();
  }

  it('gives back what was committed, in order, numbered within the transaction', async () => {
    const first = await log.commit([
      { table: 1, text: 'a' },
      { table: 2, text: 'b' },
    ]);
    const second = await log.commit([{ table: 1, text: 'c' }]);
    await written();
    const expected = [`${first}-0 a`, `${first}-1 b`, `${second}-0 c`];
    assert.deepEqual(await readAll(reader, { tables: 'all', changesMax: 2 }), expected);
    assert.deepEqual(await readAllBackward(reader, { tables: 'all', changesMax: 2 }), expected);
  });

  it('shows nothing that was not flushed', async () => {
    await written();
    await log.commit([{ table: 1, text: 'a' }]);
    assert.deepEqual(
      (await reader.read({ ...everything, from: { kind: 'start' }, changesMax: 9 })).changes,
      [],
    );
  });

  it('keeps transactions larger than a chunk, and none of those that were given up', async () => {
    const text = 'x'.repeat(30_000);
    const rows = Array.from({ length: 20 }, (_, i) => ({ table: 1 + (i % 2), text: text + i }));
    const lsn = await log.commit(rows);
    const frames = log.writer.begin();
    for (let i = 0; i < 5; i += 1) {
      const at = frames.reserve(40_000, 1n);
      frames.bytes.fill(0, at, at + 40_000);
      frames.count(1);
    }
    await log.writer.discard(frames);
    await written();
    const expected = rows.map(({ text: row }, seq) => `${lsn}-${seq} ${row}`);
    assert.deepEqual(await readAll(reader, { tables: 'all', changesMax: 7 }), expected);
    assert.deepEqual(await readAllBackward(reader, { tables: 'all', changesMax: 7 }), expected);
    assert.deepEqual([...log.writer.store.open.getKeys({})], []);
  });

  it('forgets the changes of aborted subtransactions, and numbers the others without them', async () => {
    const text = 'y'.repeat(20_000);
    const rows: TestChange[] = Array.from({ length: 30 }, (_, i) => ({
      table: 1,
      text: text + i,
      subxid: i % 3,
    }));
    const lsn = await log.commit(rows, { aborted: [1] });
    const small = await log.commit([{ table: 1, text: 'z', subxid: 9 }], { aborted: [9] });
    await written();
    const survivors = rows.filter(({ subxid }) => subxid !== 1);
    assert.deepEqual(
      await readAll(reader, { tables: 'all', changesMax: 100 }),
      survivors.map(({ text: row }, seq) => `${lsn}-${seq} ${row}`),
    );
    assert.equal(await reader.count(new Set([1])), survivors.length);
    assert.ok(log.writer.endLsn > small, 'an empty transaction counts as read');
  });

  it('goes on after a process that ended in the middle of a transaction', async () => {
    const lsn = await log.commit([{ table: 1, text: 'kept' }]);
    const frames = log.writer.begin();
    for (let i = 0; i < 4; i += 1) {
      frames.reserve(60_000, 1n);
      frames.count(1);
    }
    await written();
    assert.equal([...log.writer.store.open.getKeys({})].length, 1, 'a segment is open');
    await log.writer.close();
    await log.open(2);
    await written();
    assert.equal([...log.writer.store.segments.getKeys({})].length, 0);
    assert.deepEqual(await readAll(reader, { tables: 'all', changesMax: 9 }), [`${lsn}-0 kept`]);
    const next = await log.commit([{ table: 1, text: 'more' }]);
    await written();
    assert.ok((await readAll(reader, { tables: 'all', changesMax: 9 })).includes(`${next}-0 more`));
  });

  it('takes what it is sent again for what it is', async () => {
    await log.commit([{ table: 1, text: 'a' }]);
    const frames = log.writer.begin();
    frames.reserve(10, 1n);
    frames.count(1);
    const { lastCommitLsn } = log.writer.last;
    await log.writer.append(frames, {
      commitLsn: lastCommitLsn,
      endLsn: lastCommitLsn + 1n,
      committedAt: 0n,
      xid: 1n,
      hasSubxids: false,
    });
    await written();
    assert.equal((await readAll(reader, { tables: 'all', changesMax: 9 })).length, 1);
  });

  it('removes the oldest beyond its size, and says that it begins later', async () => {
    const text = 'x'.repeat(50_000);
    const lsns: bigint[] = [];
    for (let i = 0; i < 10; i += 1) lsns.push(await log.commit([{ table: 1, text }]));
    await written();
    await log.writer.trim({ bytesMax: 250_000, committedBefore: undefined, heldFrom: undefined });
    await written();
    const { startLsn, epochs } = await reader.bounds();
    const kept = await reader.read({ ...everything, from: { kind: 'start' }, changesMax: 99 });
    const first = kept.changes[0]!.position;
    assert.ok(first.lsn > lsns[0]! && log.writer.state.bytes <= 250_000);
    assert.ok(startLsn > epochs[0]!.startLsn && startLsn <= first.lsn);
    assert.equal(await reader.count(new Set([1])), kept.changes.length);
    const before = lsns[lsns.indexOf(first.lsn) - 1]!;
    const behind = (lsn: bigint) =>
      reader.read({
        ...everything,
        from: { kind: 'after', position: { epoch: 1, lsn, seq: 0 } },
        changesMax: 9,
      });
    await assert.doesNotReject(behind(before), 'nothing is missing behind what was removed last');
    await assert.rejects(behind(lsns[0]!), { code: '22023', message: /^the change log begins at/ });
    await assert.rejects(
      reader.read({ ...everything, from: { kind: 'at', epoch: 1, lsn: lsns[0]! }, changesMax: 9 }),
      { code: '22023' },
    );
  });

  it('removes what is too old, and keeps what a reader needs within the cap', async () => {
    const text = 'x'.repeat(50_000);
    const lsns: bigint[] = [];
    for (let i = 0; i < 10; i += 1) {
      lsns.push(await log.commit([{ table: 1, text }], { committedAt: BigInt(i) }));
    }
    await written();
    const count = async (): Promise<number> => reader.count(new Set([1]));
    await log.writer.trim({ bytesMax: 1e9, committedBefore: 3n, heldFrom: undefined });
    await written();
    assert.equal(await count(), 7);
    await log.writer.trim({
      bytesMax: 200_000,
      committedBefore: undefined,
      heldFrom: { epoch: 1, lsn: lsns[4]! },
    });
    await written();
    assert.equal(await count(), 6, 'what the reader has not passed stays');
    const heldFrom = { epoch: 1, lsn: 0n };
    await log.writer.trim({ bytesMax: 60_000, committedBefore: undefined, heldFrom });
    await written();
    assert.ok((await count()) < 6, 'but not for ever');
  });

  it('shows that an epoch has ended, and what is in the next', async () => {
    const first = await log.commit([{ table: 1, text: 'before' }]);
    log.writer.beginEpoch({ epoch: 2, startLsn: 500n, timeline: 2, term: 2 });
    await written();
    const { epoch, epochs } = await reader.bounds();
    assert.equal(epoch, 2);
    assert.deepEqual(
      epochs.map(({ epoch: number, endLsn }) => [number, endLsn !== undefined]),
      [
        [1, true],
        [2, false],
      ],
    );
    const seen = await reader.read({ ...everything, from: { kind: 'start' }, changesMax: 9 });
    assert.deepEqual(seen.changes.map(told), [`${first}-0 before`]);
    await assert.rejects(
      reader.read({ ...everything, from: { kind: 'at', epoch: 3, lsn: 0n }, changesMax: 9 }),
      { code: '22023', message: 'the change log holds nothing of epoch 3' },
    );
  });

  it('wakes who waits for more', async () => {
    const lsn = await log.commit([{ table: 1, text: 'a' }]);
    await written();
    const position = { epoch: 1, lsn, seq: 0 };
    const waiting = reader.changed(position, new AbortController().signal);
    await log.commit([{ table: 1, text: 'b' }]);
    await log.writer.flush();
    await waiting;
    const aborted = new AbortController();
    const never = reader.changed({ ...position, lsn: 1n << 60n }, aborted.signal);
    aborted.abort();
    await never;
  });

  it('reads as its model does, whatever is asked', async function () {
    this.timeout(60_000);
    const change = fc.record({
      table: fc.integer({ min: 1, max: 3 }),
      text: fc.oneof(
        fc.string({ maxLength: 5 }),
        fc.integer({ min: 1_000, max: 40_000 }).map((size) => 'w'.repeat(size)),
      ),
      subxid: fc.integer({ min: 0, max: 3 }),
    });
    const transaction = fc.record({
      changes: fc.array(change, { maxLength: 12 }),
      aborted: fc.option(fc.subarray([1, 2, 3]), { nil: undefined }),
      flushes: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(transaction, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        fc.subarray([1, 2, 3]),
        async (transactions, changesMax, tables) => {
          const own = new TestLog();
          await own.open();
          // Numbered as the tables are.
          for (const table of [1, 2, 3]) await own.commit([{ table, text: '' }]);
          const model: { lsn: bigint; seq: number; table: number; text: string }[] = [];
          for (const { changes, aborted, flushes } of transactions) {
            const lsn = await own.commit(changes, aborted === undefined ? {} : { aborted });
            const isAborted = (subxid: number): boolean => aborted?.includes(subxid) === true;
            const survivors = changes.filter(({ subxid }) => !isAborted(subxid));
            model.push(...survivors.map(({ table, text }, seq) => ({ lsn, seq, table, text })));
            if (flushes) await own.writer.flush();
          }
          await own.writer.flush();
          await own.writer.sync();
          const ownReader = new LocalLogReader({ directory: own.directory, database: 'shop' });
          const wanted = new Set(tables);
          const expected = model
            .filter(({ table }) => wanted.has(table))
            .map(({ lsn, seq, text }) => `${lsn}-${seq} ${text}`);
          const request = { tables: wanted, changesMax };
          const forward = await readAll(ownReader, request);
          const backward = await readAllBackward(ownReader, request);
          assert.deepEqual(forward, backward);
          assert.deepEqual(forward.slice(wanted.size), expected);
          assert.equal(await ownReader.count(wanted), forward.length);
          await ownReader.close();
          await own.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('orders positions by epoch, commit and number', () => {
    const a = { epoch: 1, lsn: 5n, seq: 2 };
    assert.ok(comparePositions(a, { epoch: 2, lsn: 1n, seq: 0 }) < 0);
    assert.ok(comparePositions(a, { epoch: 1, lsn: 5n, seq: 1 }) > 0);
    assert.equal(comparePositions(a, { ...a }), 0);
  });
});
