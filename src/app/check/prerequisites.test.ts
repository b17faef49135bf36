import assert from 'node:assert/strict';
import type { ConnectionFailure } from '../../postgres/connection-failure.ts';
import { parseUpstream } from '../config/upstream.ts';
import { judgePrerequisites, windowsWillWork } from './prerequisites.ts';
import type { ServerFacts, UpstreamFacts } from './upstream-facts.ts';

const upstream = parseUpstream('postgres://ann@db.example/shop', '--upstream');

const goodServer: ServerFacts = {
  version: '17.2',
  versionNumber: 170_002,
  isStandby: false,
  isEncrypted: true,
  walLevel: 'logical',
  slotsMax: 10,
  slotsUsed: 3,
  hasOwnSlot: false,
  sendersMax: 10,
  sendersUsed: 3,
  hasOwnSender: false,
  mayReplicate: true,
  isSuperuser: true,
  mayMakeSchema: true,
  mayMakeAdmin: true,
  database: 'shop',
  encoding: 'UTF8',
  slotWalKeepMb: -1,
};

describe('the prerequisites of an upstream', () => {
  it('are all met by a good one', () => {
    const found = judge({});
    assert.ok(found.every(({ state }) => state === 'ok'));
    assert.ok(windowsWillWork(found));
  });

  for (const [what, name, state, mend, change] of [
    ['an old version', 'version', 'fail', /upgrade to Postgres 14/, { versionNumber: 130_009 }],
    ['a version of the future', 'version', 'note', undefined, { versionNumber: 190_000 }],
    ['no TLS', 'encryption', 'note', /sslmode=require/, { isEncrypted: false }],
    ['another wal_level', 'wal_level', 'capture', /wal_level = 'logical'/, { walLevel: 'replica' }],
    [
      'no slot left',
      'replication slots',
      'capture',
      /max_replication_slots = 15/,
      { slotsUsed: 10 },
    ],
    ['no sender at all', 'wal senders', 'capture', /max_wal_senders = 10/, noSenders()],
    [
      'no right to replicate',
      'right to replicate',
      'capture',
      /ALTER ROLE "ann" REPLICATION/,
      { mayReplicate: false },
    ],
    [
      'no right to make the schema',
      'right to make schema heliosdb',
      'capture',
      /GRANT CREATE ON DATABASE "shop" TO "ann"/,
      { mayMakeSchema: false },
    ],
    [
      'no role of administrators',
      'right to make schema heliosdb',
      'note',
      /CREATE ROLE heliosdb_admin/,
      { mayMakeAdmin: false },
    ],
    ['a role that owns some tables', 'tables', 'note', undefined, { isSuperuser: false }],
    ['texts without an encoding', 'encoding', 'capture', /UTF8/, { encoding: 'SQL_ASCII' }],
    [
      'little WAL for slots',
      'WAL kept for slots',
      'note',
      /max_slot_wal_keep_size = '2048MB'/,
      { slotWalKeepMb: 1_024 },
    ],
  ] as const) {
    it(`tell of ${what}, and how to mend it`, () => {
      const prerequisite = judge(change).find((one) => one.name === name);
      assert.equal(prerequisite?.state, state);
      if (mend !== undefined) assert.match(prerequisite?.mend ?? '', mend);
    });
  }

  it('count nothing for missing that is there already for this database', () => {
    const own = { slotsMax: 1, slotsUsed: 1, hasOwnSlot: true };
    const found = judge({ ...own, sendersMax: 1, sendersUsed: 1, hasOwnSender: true });
    assert.ok(found.every(({ state }) => state === 'ok'));
    const slots = found.find(({ name }) => name === 'replication slots');
    assert.equal(slots?.found, '1 of 1 used, one of them for the capture of this database');
  });

  it('do not keep windows from working when only capture lacks something', () => {
    assert.ok(windowsWillWork(judge({ walLevel: 'replica', mayReplicate: false })));
    assert.ok(!windowsWillWork(judge({ versionNumber: 130_000 })));
  });

  it('tell of a server that asks for no password', () => {
    const found = judgePrerequisites(upstream, {
      probe: { kind: 'admitted', asked: false },
      server: goodServer,
    });
    assert.equal(found.find(({ name }) => name === 'proof')?.state, 'note');
  });

  it('let windows work when it asks for a password that the URL does not have', () => {
    const [found, ...others] = judgePrerequisites(upstream, { probe: { kind: 'asked' } });
    assert.equal(found?.state, 'note');
    assert.match(found?.mend ?? '', /write it into the URL/);
    assert.deepEqual(others, []);
  });

  for (const [what, facts, mend] of [
    ['does not answer', unreachable('no-answer'), /^start the server/],
    ['answers too late', unreachable('timeout'), /firewalls/],
    ['is on a host that is not there', unreachable('unknown-host'), /^correct the host/],
    ['has no TLS', unreachable('no-tls'), /ssl = on .* sslmode=prefer/],
    ['has a certificate nobody trusts', unreachable('untrusted-certificate'), /sslrootcert/],
    ['has a certificate of another', unreachable('other-name'), /^write the host name/],
    ['breaks TLS off', unreachable('tls'), /sslmode/],
    ['is starting', refused('57P03'), /^wait until it has started/],
    ['is full', refused('53300'), /max_connections/],
    ['refuses us', refused('3D000'), /^correct the user/],
  ] as const satisfies readonly (readonly [string, UpstreamFacts, RegExp])[]) {
    it(`are not met when it ${what}`, () => {
      const found = judgePrerequisites(upstream, facts);
      assert.ok(!windowsWillWork(found));
      assert.match(found[0]?.mend ?? '', mend);
    });
  }
});

function judge(change: Partial<ServerFacts>): ReturnType<typeof judgePrerequisites> {
  const server = { ...goodServer, ...change };
  return judgePrerequisites(upstream, { probe: { kind: 'admitted', asked: true }, server });
}

function unreachable(failure: ConnectionFailure): UpstreamFacts {
  return { probe: { kind: 'unreachable', failure, cause: new TypeError('x') } };
}

function refused(code: string): UpstreamFacts {
  return { probe: { kind: 'refused', asked: false, code, message: 'x' } };
}

function noSenders(): Partial<ServerFacts> {
  return { sendersMax: 0, sendersUsed: 0 };
}
