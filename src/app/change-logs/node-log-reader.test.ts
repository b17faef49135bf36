import assert from 'node:assert/strict';
import type { LogOwner } from '../../catalog/log-owner.ts';
import { versionsOfOneLog } from '../../changelog/remote/remote-log-reader.ts';
import type { LogReader } from '../../contracts/log-reader.ts';
import { logNodeSilent } from '../../core/errors/log-stream.ts';
import { LogOwnership } from './log-ownership.ts';
import { NodeLogReader } from './node-log-reader.ts';

const database = 'shop';
const beyond = { epoch: 1, lsn: 1n, seq: 0 };

describe('the log of a node', () => {
  it('is on its disk while it captures the database or did so last', async () => {
    const node = openNode({ owner: async () => ownedBy('own') });
    assert.equal(await node.whichIsRead(), 'local');
  });

  it('is that of the owner, although an old one is on its disk', async () => {
    const node = openNode({ owner: async () => ownedBy('other') });
    assert.equal(await node.whichIsRead(), 'remote');
  });

  it('is none as long as nobody has captured anything', async () => {
    const node = openNode({ owner: async () => undefined });
    await assert.rejects(node.whichIsRead(), { code: '55000' });
  });

  it('is on its disk when the catalog has never answered, if there is one', async () => {
    const owner = () => Promise.reject(new Error('the database is down'));
    const node = openNode({ owner });
    assert.equal(await node.whichIsRead(), 'local');
    assert.equal(await node.whichIsRead(), 'local');
    await assert.rejects(openNode({ owner, hasLocal: false }).whichIsRead(), {
      code: '08006',
      detail: 'the database is down.',
      retryable: true,
    });
  });

  it('stays what it was while the catalog does not answer, and nobody waits for that', async () => {
    const answers: (() => Promise<LogOwner | undefined>)[] = [
      async () => ownedBy('own'),
      () => Promise.reject(new Error('the database is down')),
      () => new Promise(() => undefined),
    ];
    const node = openNode({ owner: () => answers.shift()!() });
    assert.equal(await node.whichIsRead(), 'local');
    await node.ownership.latest();
    assert.equal(await node.whichIsRead(), 'local');
    void node.ownership.latest();
    assert.equal(await node.whichIsRead(), 'local');
  });

  it('is followed at once when it has moved', async () => {
    let owner = 'other';
    const node = openNode({ owner: async () => ownedBy(owner) });
    assert.equal(await node.whichIsRead(), 'remote');
    owner = 'own';
    node.remoteFails();
    assert.equal(await node.whichIsRead(), 'local');
  });

  it('is followed although that it has moved was learned before the read had failed', async () => {
    let owner = 'other';
    const node = openNode({ owner: async () => ownedBy(owner) });
    assert.equal(await node.whichIsRead(), 'remote');
    owner = 'own';
    node.remoteFails(() => node.ownership.latest());
    assert.equal(await node.whichIsRead(), 'local');
  });

  it('is not asked twice where nothing has moved', async () => {
    const node = openNode({ owner: async () => ownedBy('other') });
    node.remoteFails();
    await assert.rejects(node.whichIsRead(), { code: '08006' });
    assert.equal(node.remoteReads(), 1);
  });

  it('is not read by ids that another log gave', async () => {
    const node = openNode({ owner: async () => ownedBy('own') });
    const foreign = node.reader.count(new Set([versionsOfOneLog + 1]));
    await assert.rejects(foreign, { code: '08006', message: /another node now/ });
  });

  it('is not served once another node has taken over', async () => {
    const node = openNode({ owner: async () => ownedBy('other'), isServed: true });
    await assert.rejects(node.whichIsRead(), { code: '08006', message: /another node now/ });
  });

  it('is waited on where it has gone', async () => {
    let owner = 'own';
    const node = openNode({ owner: async () => ownedBy(owner) });
    const stop = new AbortController();
    const waiting = node.reader.changed(beyond, stop.signal);
    await node.waitsOn('local');
    owner = 'other';
    await node.ownership.latest();
    await node.waitsOn('remote');
    await node.reader.close();
    await waiting;
  });
});

function ownedBy(node: string): LogOwner {
  return { term: 1, node, host: 'h', logAddress: '127.0.0.1:1' };
}

type Where = 'local' | 'remote';

function openNode(options: {
  readonly owner: () => Promise<LogOwner | undefined>;
  readonly hasLocal?: boolean;
  readonly isServed?: boolean;
}) {
  const ownership = new LogOwnership(database, {
    owner: options.owner,
    secret: async () => undefined,
    close: async () => undefined,
  });
  let remoteReads = 0;
  let failing: (() => Promise<unknown>) | undefined;
  const waits = new Map<Where, () => void>();
  const begun = (where: Where) => new Promise<void>((resolve) => waits.set(where, resolve));
  const waitsBegun = { local: begun('local'), remote: begun('remote') };
  const readerAt = (where: Where): LogReader => ({
    async bounds() {
      if (where === 'remote') remoteReads += 1;
      if (where === 'remote' && failing !== undefined) {
        await failing();
        throw logNodeSilent('there', 'it is gone');
      }
      const lsn = where === 'local' ? 1n : 2n;
      return { epoch: 1, epochs: [], startLsn: lsn, endLsn: lsn };
    },
    tables: async () => [],
    count: async () => 0,
    walSample: async () => ({ epoch: 1, sample: undefined }),
    read: async () => ({ changes: [], through: beyond, isAtEnd: true }),
    readBackward: async () => ({ changes: [], before: beyond, isAtStart: true }),
    changed: (_beyond, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve();
          return;
        }
        waits.get(where)?.();
        signal.addEventListener('abort', () => resolve());
      }),
    close: async () => undefined,
  });
  const reader = new NodeLogReader({
    database,
    node: 'own',
    ownership,
    local: readerAt('local'),
    hasLocal: () => options.hasLocal ?? true,
    remote: options.isServed === true ? undefined : readerAt('remote'),
  });
  return {
    reader,
    ownership,
    async whichIsRead(): Promise<Where> {
      const { endLsn } = await reader.bounds();
      return endLsn === 1n ? 'local' : 'remote';
    },
    waitsOn: (where: Where) => waitsBegun[where],
    /** @param meanwhile what happens until it does */
    remoteFails: (meanwhile: () => Promise<unknown> = async () => undefined) => {
      failing = meanwhile;
    },
    remoteReads: () => remoteReads,
  };
}
