import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Change, TableVersion } from '../../contracts/change.ts';
import type { ReadForward } from '../../contracts/log-reader.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import {
  decodeBackwardBatch,
  decodeBatch,
  decodeBounds,
  decodeCounted,
  decodeError,
  decodeSampled,
  decodeTables,
  encodeBackwardBatch,
  encodeBatch,
  encodeBounds,
  encodeCounted,
  encodeError,
  encodeSampled,
  encodeTables,
} from './answer-codec.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { readChallenge, readHello } from './handshake.ts';
import { requestBytesMax } from './limits.ts';
import {
  decodeChanged,
  decodeCount,
  decodeRead,
  decodeReadBackward,
  decodeWalSample,
  encodeChanged,
  encodeCount,
  encodeRead,
  encodeReadBackward,
  encodeWalSample,
} from './request-codec.ts';
import { framed, Opener, Sealer } from './seal.ts';
import { TableTexts } from './table-codec.ts';

const text = fc.string({ unit: 'binary' });
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt(0n, 0xffff_ffff_ffff_ffffn);
const i64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const position = fc.record({ epoch: u32, lsn: u64, seq: fc.integer({ min: -1 }) });
const value = fc.oneof(text, fc.constant(null), fc.constant(undefined));
const tuple = fc.option(fc.array(value), { nil: undefined });
const scalarKind = fc.constantFrom('number', 'boolean', 'json', 'text');
const table: fc.Arbitrary<TableVersion> = fc.record({
  id: u32,
  oid: u32,
  schema: text,
  name: text,
  replicaIdentity: fc.constantFrom('default', 'nothing', 'full', 'index'),
  columns: fc.array(
    fc.record({
      name: text,
      typeOid: u32,
      typeModifier: fc.integer(),
      isKey: fc.boolean(),
      valueKind: fc.oneof(scalarKind, fc.record({ arrayOf: scalarKind, delimiter: text })),
    }),
    { maxLength: 4 },
  ),
}) as fc.Arbitrary<TableVersion>;
const transaction = fc.record({ position, committedAtMicros: i64, xid: u64 });
const schemaChange = fc.record({
  command: text,
  tableOid: u32,
  schema: text,
  name: text,
  rewritesRows: fc.boolean(),
});
/** A few tables and transactions that changes share, as they do, so that both codings are met. */
const changes: fc.Arbitrary<Change[]> = fc
  .tuple(
    fc.array(table, { minLength: 1, maxLength: 3 }),
    fc.array(transaction, { minLength: 1, maxLength: 3 }),
  )
  .chain(([tables, transactions]) =>
    fc.array(
      fc
        .record({
          transaction: fc.constantFrom(...transactions),
          seq: u32,
          walLsn: u64,
          operation: fc.constantFrom('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'DDL' as const),
          table: fc.option(fc.constantFrom(...tables), { nil: undefined }),
          before: tuple,
          after: tuple,
          schemaChange: fc.option(schemaChange, { nil: undefined }),
        })
        .map(({ transaction: of, seq, ...rest }) => ({
          ...of,
          ...rest,
          position: { ...of.position, seq },
        })),
    ),
  ) as fc.Arbitrary<Change[]>;
const batch = fc.record({ changes, through: position, isAtEnd: fc.boolean() });
const wanted = {
  tables: fc.oneof(
    fc.constant('all' as const),
    fc.array(u32).map((ids) => new Set(ids)),
  ),
  schemaChanges: fc.boolean(),
  changesMax: u32,
};
const read: fc.Arbitrary<ReadForward> = fc.record({
  from: fc.oneof(
    fc.constant({ kind: 'start' as const }),
    fc.record({ kind: fc.constant('after' as const), position }),
    fc.record({ kind: fc.constant('at' as const), epoch: u32, lsn: u64 }),
  ),
  ...wanted,
});

const texts = (): TableTexts => new TableTexts(0);
const seed = process.env['HELIOSDB_SEED'];
const options = seed === undefined ? {} : { seed: Number(seed) };

describe('the protocol of a log stream', () => {
  it('brings changes over exactly', () => {
    check(batch, (sent) => {
      assert.deepEqual(decodeBatch(encodeBatch(sent), texts()), plain(sent));
    });
    check(batch, ({ changes: sent, through, isAtEnd }) => {
      const backward = plain({ changes: sent, before: through, isAtStart: isAtEnd });
      assert.deepEqual(decodeBackwardBatch(encodeBackwardBatch(backward), texts()), backward);
    });
  });

  it('gives the versions of tables of one log numbers of their own, and each one object', () => {
    check(fc.array(table, { minLength: 1 }), (sent) => {
      const known = new TableTexts(2 ** 32);
      const received = decodeTables(encodeTables(sent), known);
      assert.deepEqual(
        received,
        plain(sent.map((version) => ({ ...version, id: version.id + 2 ** 32 }))),
      );
      const again = decodeTables(encodeTables(sent), known);
      assert.ok(again.every((version, index) => version === received[index]));
    });
  });

  it('brings requests over exactly', () => {
    check(read, (sent) => assert.deepEqual(decodeRead(encodeRead(sent)), plain(sent)));
    const backward = fc.record({ before: fc.option(position, { nil: undefined }), ...wanted });
    check(backward, (sent) => {
      assert.deepEqual(decodeReadBackward(encodeReadBackward(sent)), plain(sent));
    });
    check(position, (sent) => assert.deepEqual(decodeChanged(encodeChanged(sent)), plain(sent)));
    const count = fc.record({
      versions: fc.array(u32).map((ids) => new Set(ids)),
      epoch: fc.option(u32, { nil: undefined }),
    });
    check(count, (sent) => assert.deepEqual(decodeCount(encodeCount(sent)), plain(sent)));
    check(fc.maxSafeNat(), (sent) => assert.equal(decodeCounted(encodeCounted(sent)), sent));
  });

  it('brings samples of the WAL over exactly', () => {
    check(u64, (sent) => assert.equal(decodeWalSample(encodeWalSample(sent)), sent));
    const sample = fc.option(fc.record({ lsn: u64, nextXid: u64 }), { nil: undefined });
    check(fc.record({ epoch: u32, sample }), (sent) => {
      assert.deepEqual(decodeSampled(encodeSampled(sent)), plain(sent));
    });
  });

  it('brings bounds and errors over exactly', () => {
    const optional = fc.option(u64, { nil: undefined });
    const epochs = fc.array(fc.record({ epoch: u32, startLsn: u64, endLsn: optional }));
    check(fc.record({ epoch: u32, epochs, startLsn: u64, endLsn: u64 }), (sent) => {
      assert.deepEqual(decodeBounds(encodeBounds(sent)), plain(sent));
    });
    const fields = fc.record({
      code: text,
      message: text,
      detail: fc.option(text, { nil: undefined }),
      hint: fc.option(text, { nil: undefined }),
      retryable: fc.boolean(),
    });
    check(fields, (sent) => {
      const { code, message, detail, hint, retryable } = decodeError(
        encodeError(new PgError(sent)),
      );
      assert.deepEqual({ code, message, detail, hint, retryable }, plain(sent));
    });
  });

  it('refuses what does not fit, and too many tables', () => {
    const at = (lsn: bigint) => encodeChanged({ epoch: 1, lsn, seq: 0 });
    for (const lsn of [-1n, 2n ** 64n]) assert.throws(() => at(lsn), { code: '08P01' });
    assert.throws(() => encodeChanged({ epoch: 0.5, lsn: 1n, seq: 0 }), { code: '08P01' });
    const versions = new Set(Array.from({ length: requestBytesMax / 4 + 1 }, (_, id) => id));
    assert.throws(() => encodeCount({ versions, epoch: undefined }), { code: '54000' });
  });

  it('takes bytes that were changed or cut off for what they are', () => {
    const decoders = [
      (bytes: Buffer) => decodeBatch(bytes, texts()),
      (bytes: Buffer) => decodeTables(bytes, texts()),
      decodeBounds,
      decodeRead,
      decodeReadBackward,
      decodeCount,
      decodeError,
      decodeChanged,
      decodeSampled,
      decodeWalSample,
      readHello,
      readChallenge,
    ];
    const bytes = fc.tuple(batch, fc.array(fc.tuple(fc.nat(), fc.nat(255))), fc.nat(4_000));
    check(bytes, ([sent, spots, length]) => {
      const damaged = Buffer.from(encodeBatch(sent)).subarray(0, length);
      for (const [at, byte] of spots) if (damaged.length > 0) damaged[at % damaged.length] = byte;
      for (const decode of decoders) {
        try {
          decode(damaged);
        } catch (error) {
          assert.ok(error instanceof PgError, String(error));
          assert.equal(error.code, '08P01');
        }
      }
    });
  });
});

describe('frames of a log stream', () => {
  it('are the same however the bytes come', () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));
    check(fc.tuple(frames, fc.array(fc.integer({ min: 1, max: 30 }))), ([sent, cuts]) => {
      const splitter = new FrameSplitter(40);
      const whole = Buffer.concat(sent.map((frame) => framed(frame)));
      const received: Buffer[] = [];
      let at = 0;
      for (const cut of [...cuts, whole.length]) {
        splitter.push(whole.subarray(at, at + cut));
        at += cut;
        for (let frame = splitter.next(); frame; frame = splitter.next()) received.push(frame);
      }
      assert.deepEqual(received, sent);
    });
    const splitter = new FrameSplitter(40);
    splitter.push(framed(Buffer.alloc(41)).subarray(0, 4));
    assert.throws(() => splitter.next(), { code: '08P01' });
  });

  it('open once, in order, and unchanged', () => {
    const key = Buffer.alloc(32, 1);
    const sealer = new Sealer(key);
    const [first, second] = ['one', 'two'].map((sent) => sealer.seal(Buffer.from(sent)));
    const unframed = (frame: Buffer | undefined): Buffer => frame!.subarray(4);
    const opener = new Opener(key);
    assert.equal(opener.open(unframed(first)).toString(), 'one');
    assert.throws(() => opener.open(unframed(first)), { code: '08P01' });
    assert.throws(() => new Opener(key).open(unframed(second)), { code: '08P01' });
    assert.throws(() => new Opener(Buffer.alloc(32, 2)).open(unframed(first)), { code: '08P01' });
    const changed = Buffer.from(unframed(first));
    changed[0]! ^= 1;
    assert.throws(() => new Opener(key).open(changed), { code: '08P01' });
    assert.throws(() => new Opener(key).open(Buffer.alloc(15)), { code: '08P01' });
  });
});

function check<T>(arbitrary: fc.Arbitrary<T>, holds: (sent: T) => void): void {
  fc.assert(
    fc.property(arbitrary, (sent) => holds(sent)),
    options,
  );
}

/** Without the null prototypes that records come with at times. */
function plain<T>(sent: T): T {
  return structuredClone(sent);
}
