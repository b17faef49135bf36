import assert from 'node:assert/strict';
import type { Change, ChangePosition, TableVersion } from '../../contracts/change.ts';
import type { LogReader, ReadForward } from '../../contracts/log-reader.ts';
import { LogFixture, type WrittenChange } from './log-fixture.ts';

export type ReaderUnderTest = {
  readonly reader: LogReader;
  close(): Promise<void>;
};

/** What every reader of a change log does, wherever the log is. */
export function describeLogReader(
  name: string,
  open: (log: LogFixture) => Promise<ReaderUnderTest>,
): void {
  describe(name, () => {
    let log: LogFixture;
    let reader: LogReader;
    let opened: ReaderUnderTest;

    beforeEach(async () => {
      log = new LogFixture();
      opened = await open(log);
      reader = opened.reader;
    });

    afterEach(async () => {
      await opened.close();
      await log.close();
    });

    const context: ContractContext = {
      log: () => log,
      reader: () => reader,
    };
    describeContents(context);
    describeBackward(context);
    describeRemoved(context);
    describeEpochs(context);
    describeWaiting(context);
  });
}

type ContractContext = { readonly log: () => LogFixture; readonly reader: () => LogReader };

const everything = { tables: 'all', schemaChanges: true, changesMax: 1_000 } as const;
const fromStart: ReadForward = { from: { kind: 'start' }, ...everything };
const insert = (id: number, table = 'orders'): WrittenChange => ({
  table,
  insert: [String(id), `note ${id}`],
});

function describeContents({ log, reader }: ContractContext): void {
  it('says that there is no log', async () => {
    for (const asked of [
      reader().bounds(),
      reader().tables(),
      reader().count(new Set()),
      reader().read(fromStart),
      reader().readBackward({ before: undefined, ...everything }),
    ]) {
      await assert.rejects(asked, { name: 'PgError', code: '55000', retryable: true });
    }
  });

  it('reads every value as it was written', async () => {
    await log().open();
    const lsn = await log().commit(
      [
        { table: 'orders', insert: ['1', null] },
        { table: 'orders', insert: ['', 'é😀\0'] },
        { table: 'orders', update: ['1', undefined] },
        { table: 'orders', update: ['2', 'x'.repeat(300_000)], key: ['1', null] },
        { table: 'items', delete: ['1', null] },
        { ddl: 'ALTER TABLE' },
      ],
      -1_234_567n,
    );
    const { changes, through, isAtEnd } = await reader().read(fromStart);
    assert.equal(isAtEnd, true);
    assert.deepEqual(through, { epoch: 1, lsn, seq: 5 });
    assert.deepEqual(
      changes.map(({ operation, table, before, after }) => [operation, table?.name, before, after]),
      [
        ['INSERT', 'orders', undefined, ['1', null]],
        ['INSERT', 'orders', undefined, ['', 'é😀\0']],
        ['UPDATE', 'orders', undefined, ['1', undefined]],
        ['UPDATE', 'orders', ['1', undefined], ['2', 'x'.repeat(300_000)]],
        ['DELETE', 'items', ['1', undefined], undefined],
        ['DDL', undefined, undefined, undefined],
      ],
    );
    for (const [seq, change] of changes.entries()) {
      assert.deepEqual(change.position, { epoch: 1, lsn, seq });
      assert.equal(change.xid, lsn + 0x1_0000_0000n);
      assert.equal(change.committedAtMicros, -1_234_567n);
      assert.equal(change.walLsn, 1_000n + 10n * BigInt(seq));
    }
    assert.equal(changes[5]?.schemaChange?.command, 'ALTER TABLE');
    assert.equal(changes[0]?.table, changes[1]?.table);
  });

  it('goes on behind what was read, however much is asked for at once', async () => {
    await log().open();
    for (let id = 0; id < 40; id += 4) await log().commit([0, 1, 2, 3].map((n) => insert(id + n)));
    const whole = await reader().read(fromStart);
    assert.equal(whole.changes.length, 40);
    for (const changesMax of [1, 3, 7, 40]) {
      assert.deepEqual(await readAll(reader(), changesMax), whole.changes);
    }
    const empty = await reader().read({
      ...fromStart,
      from: { kind: 'after', position: whole.through },
    });
    assert.deepEqual(empty, { changes: [], through: whole.through, isAtEnd: true });
    const { position } = whole.changes[17]!;
    const at = await reader().read({
      ...fromStart,
      from: { kind: 'at', epoch: 1, lsn: position.lsn },
    });
    assert.deepEqual(at.changes, whole.changes.slice(16));
  });

  it('reads and counts the tables that are wanted, and is at the end with them', async () => {
    await log().open();
    await log().commit([insert(1), insert(2, 'items'), { ddl: 'DROP TABLE' }]);
    const lsn = await log().commit([insert(3, 'items')]);
    const known = await reader().tables();
    assert.deepEqual(known.map(({ name }) => name).sort(), ['items', 'orders']);
    const orders = idsOf(known, 'orders');
    const wanted = { ...fromStart, tables: orders };
    const batch = await reader().read(wanted);
    assert.deepEqual(batch.changes.map(afterOf), [['1', 'note 1'], undefined]);
    assert.deepEqual(batch.through, { epoch: 1, lsn, seq: 0 });
    const rows = await reader().read({ ...wanted, schemaChanges: false });
    assert.deepEqual(rows.changes.map(afterOf), [['1', 'note 1']]);
    const all = await reader().read({ ...fromStart, schemaChanges: false });
    assert.deepEqual(all.changes.map(afterOf), [
      ['1', 'note 1'],
      ['2', 'note 2'],
      ['3', 'note 3'],
    ]);
    const items = idsOf(known, 'items');
    assert.equal(await reader().count(items), 2);
    assert.equal(await reader().count(items, 1), 2);
    assert.equal(await reader().count(items, 2), 0);
    assert.equal(await reader().count(new Set([...items, ...orders])), 3);
    assert.equal(
      all.changes[1]?.table,
      known.find(({ name }) => name === 'items'),
    );
  });

  it('reads transactions of any size', async () => {
    await log().open();
    const many = Array.from({ length: 5_000 }, (_, id) => insert(id, id % 100 ? 'orders' : 'rare'));
    await log().commit([insert(1)]);
    await log().commit(many);
    const all = await readAll(reader(), 1_700);
    assert.equal(all.length, 5_001);
    assert.deepEqual(all.at(-1)?.after, ['4999', 'note 4999']);
    const rare = await reader().read({
      ...fromStart,
      tables: idsOf(await reader().tables(), 'rare'),
      schemaChanges: false,
    });
    assert.equal(rare.changes.length, 50);
    assert.equal(rare.isAtEnd, true);
  });

  it('tells how far the log reaches', async () => {
    await log().open();
    const { endLsn } = await reader().bounds();
    assert.equal(endLsn, 1_000n);
    await log().commit([insert(1)]);
    await log().advance(500n);
    assert.deepEqual(await reader().bounds(), {
      epoch: 1,
      epochs: [{ epoch: 1, startLsn: 1_000n, endLsn: undefined }],
      startLsn: 1_000n,
      endLsn: log().endLsn,
    });
  });
}

function describeBackward({ log, reader }: ContractContext): void {
  it('reads the last changes, and those before them', async () => {
    await log().open();
    for (let id = 0; id < 12; id += 3) await log().commit([0, 1, 2].map((n) => insert(id + n)));
    const { changes } = await reader().read(fromStart);
    for (const changesMax of [1, 2, 5, 12]) {
      const read: Change[] = [];
      let before: ChangePosition | undefined;
      for (let isAtStart = false; !isAtStart; ) {
        const batch = await reader().readBackward({ ...everything, before, changesMax });
        assert.ok(batch.changes.length <= changesMax);
        read.unshift(...batch.changes);
        ({ before, isAtStart } = batch);
      }
      assert.deepEqual(read, changes);
    }
    const some = await reader().readBackward({
      before: changes[5]!.position,
      ...everything,
      changesMax: 2,
    });
    assert.deepEqual(some.changes, changes.slice(3, 5));
    assert.deepEqual(some.before, changes[3]!.position);
  });
}

function describeRemoved({ log, reader }: ContractContext): void {
  it('refuses to begin before what was removed, and says where it begins', async () => {
    await log().open();
    const removed = await log().commit([insert(1)], 1n);
    const lsn = await log().commit([insert(2)], 100n);
    await log().trim(50n);
    const { epochs, startLsn } = await reader().bounds();
    assert.equal(startLsn, removed + 1n);
    assert.equal(epochs[0]?.startLsn, 1_000n);
    const { changes } = await reader().read(fromStart);
    assert.deepEqual(changes.map(afterOf), [['2', 'note 2']]);
    const asked: ReadForward['from'][] = [
      { kind: 'at', epoch: 1, lsn: removed },
      { kind: 'after', position: { epoch: 1, lsn: removed, seq: -1 } },
    ];
    for (const from of asked) {
      await assert.rejects(reader().read({ ...fromStart, from }), {
        name: 'PgError',
        code: '22023',
        message: /^the change log begins at 0\/[0-9A-F]+$/,
        detail: /were asked for/,
        hint: /^Read from /,
        retryable: false,
      });
    }
    const behind = await reader().read({
      ...fromStart,
      from: { kind: 'after', position: { epoch: 1, lsn: removed, seq: 0 } },
    });
    assert.equal(behind.changes[0]?.position.lsn, lsn);
    const backward = await reader().readBackward({ before: undefined, ...everything });
    assert.deepEqual(backward.changes, changes);
    assert.equal(backward.isAtStart, true);
  });

  it('refuses an epoch it knows nothing of', async () => {
    await log().open();
    const from = { kind: 'at', epoch: 9, lsn: 1_000n } as const;
    await assert.rejects(reader().read({ ...fromStart, from }), {
      code: '22023',
      message: 'the change log holds nothing of epoch 9',
    });
  });
}

function describeEpochs({ log, reader }: ContractContext): void {
  it('reads from one epoch into the next, whose LSNs may be smaller', async () => {
    await log().open();
    await log().commit([insert(1)]);
    const ended = log().endLsn;
    await log().beginEpoch(500n);
    const lsn = await log().commit([insert(2)]);
    assert.ok(lsn < ended);
    const bounds = await reader().bounds();
    assert.equal(bounds.epoch, 2);
    assert.deepEqual(bounds.epochs, [
      { epoch: 1, startLsn: 1_000n, endLsn: ended },
      { epoch: 2, startLsn: 500n, endLsn: undefined },
    ]);
    const { changes, through } = await reader().read(fromStart);
    assert.deepEqual(
      changes.map(({ position }) => position.epoch),
      [1, 2],
    );
    assert.deepEqual(through, { epoch: 2, lsn, seq: 0 });
    const { changes: last } = await reader().readBackward({ before: undefined, ...everything });
    assert.deepEqual(last, changes);
    const orders = idsOf(await reader().tables(), 'orders');
    assert.equal(await reader().count(orders, 1), 1);
    assert.equal(await reader().count(orders), 2);
  });

  it('goes into an epoch that has no change yet, so that nobody waits in vain', async () => {
    await log().open();
    await log().commit([insert(1)]);
    const { through } = await reader().read(fromStart);
    await log().beginEpoch(500n);
    await reader().changed(through, new AbortController().signal);
    const from = { kind: 'after', position: through } as const;
    const next = await reader().read({ ...fromStart, from });
    assert.deepEqual([next.changes, next.isAtEnd], [[], true]);
    assert.equal(next.through.epoch, 2);
    const stop = new AbortController();
    let isOver = false;
    const waiting = reader()
      .changed(next.through, stop.signal)
      .then(() => {
        isOver = true;
      });
    await reader().bounds();
    assert.equal(isOver, false);
    await log().commit([insert(2)]);
    await waiting;
    const behind = await reader().read({
      ...fromStart,
      from: { kind: 'after', position: next.through },
    });
    assert.deepEqual(behind.changes.map(afterOf), [['2', 'note 2']]);
  });
}

function describeWaiting({ log, reader }: ContractContext): void {
  it('waits for something behind a position, also before anything was read', async () => {
    await log().open();
    const beyond = { epoch: 1, lsn: 1_000n, seq: 0 };
    const waiting = Array.from({ length: 20 }, () =>
      reader().changed(beyond, new AbortController().signal),
    );
    await log().commit([insert(1)]);
    await Promise.all(waiting);
    await reader().changed(beyond, new AbortController().signal);
  });

  it('stops waiting when it is told to, or closed', async () => {
    await log().open();
    const beyond = { epoch: 1, lsn: 1_000_000n, seq: 0 };
    await reader().changed(beyond, AbortSignal.abort());
    const stop = new AbortController();
    const stopped = reader().changed(beyond, stop.signal);
    const closed = reader().changed(beyond, new AbortController().signal);
    await reader().bounds();
    stop.abort();
    await stopped;
    await reader().close();
    await closed;
  });
}

async function readAll(reader: LogReader, changesMax: number): Promise<readonly Change[]> {
  const read: Change[] = [];
  let from: ReadForward['from'] = { kind: 'start' };
  for (;;) {
    const batch = await reader.read({ ...fromStart, from, changesMax });
    assert.ok(batch.changes.length <= changesMax);
    read.push(...batch.changes);
    if (batch.isAtEnd) return read;
    from = { kind: 'after', position: batch.through };
  }
}

function idsOf(known: readonly TableVersion[], table: string): ReadonlySet<number> {
  return new Set(known.filter(({ name }) => name === table).map(({ id }) => id));
}

function afterOf({ after }: Change): Change['after'] {
  return after;
}
