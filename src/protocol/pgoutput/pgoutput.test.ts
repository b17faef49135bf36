import assert from 'node:assert/strict';
import { decodeBegin } from './begin.ts';
import { decodeCommit } from './commit.ts';
import { decodeDelete } from './delete.ts';
import { decodeInsert } from './insert.ts';
import { decodeMessage } from './logical-message.ts';
import { hasSubxid, pgoutputMessage, relationOffset } from './message-type.ts';
import { decodeOrigin } from './origin.ts';
import { decodeRelation } from './relation.ts';
import { decodeStreamAbort } from './stream-abort.ts';
import { decodeStreamCommit } from './stream-commit.ts';
import { decodeStreamStart } from './stream-start.ts';
import { checkStreamStop } from './stream-stop.ts';
import { decodeTruncate, truncatedRelationCount, truncatedRelationsOffset } from './truncate.ts';
import { skipTuple } from './tuple-data.ts';
import { decodeType } from './type.ts';
import { decodeUpdate } from './update.ts';

type Decoder<T> = (bytes: Buffer, start: number, end: number, streamed: boolean) => T;

/** A frame written as a letter, hex and 'text', decoded from the middle of a buffer. */
function decode<T>(decoder: Decoder<T>, written: string, streamed = false): T {
  const frame = frameOf(written);
  const bytes = Buffer.concat([Buffer.alloc(3, 0x74), frame, Buffer.alloc(4)]);
  return decoder(bytes, 3, 3 + frame.length, streamed);
}

function frameOf(written: string): Buffer {
  const parts = written.split(' ').map((part) => {
    if (/^[A-Za-z]$/.test(part)) return Buffer.from(part);
    if (part.startsWith("'")) return Buffer.from(part.slice(1, -1));
    return Buffer.from(part, 'hex');
  });
  return Buffer.concat(parts);
}

const subxid = 'fffffffe';

describe('pgoutput messages', () => {
  it('tell where transactions begin and end', () => {
    const begin = decode(decodeBegin, 'B 00000001000000ff 0000000000000001 80000001');
    const committedAtMicros = 946_684_800_000_001n;
    assert.deepEqual(begin, { commitLsn: 0x1000000ffn, committedAtMicros, xid: 0x80000001 });
    const numbers = '00 00000001000000ff 0000000100000100 0000000000000001';
    const commit = { commitLsn: 0x1000000ffn, endLsn: 0x100000100n, committedAtMicros };
    assert.deepEqual(decode(decodeCommit, `C ${numbers}`), commit);
    const streamed = decode(decodeStreamCommit, `c ${subxid} ${numbers}`);
    assert.deepEqual(streamed, { xid: 0xfffffffe, ...commit });
    assert.deepEqual(decode(decodeStreamStart, `S ${subxid} 01`), {
      xid: 0xfffffffe,
      isFirst: true,
    });
    decode(checkStreamStop, 'E');
    const abort = decode(decodeStreamAbort, `A ${subxid} 00000007`);
    assert.deepEqual(abort, { xid: 0xfffffffe, subxid: 7 });
    const origin = decode(decodeOrigin, "O 0000000000000009 'naïve' 00");
    assert.deepEqual(origin, { commitLsn: 9n, name: 'naïve' });
  });

  it('tell what a table looks like', () => {
    const columns = "0002 01 'id' 00 00000017 ffffffff 00 'näme' 00 00000413 0000000e";
    const expected = {
      oid: 0x4000,
      schema: 'pg_catalog',
      name: 't',
      replicaIdentity: 'index',
      columns: [
        { name: 'id', typeOid: 23, typeModifier: -1, isKey: true },
        { name: 'näme', typeOid: 1043, typeModifier: 14, isKey: false },
      ],
    };
    const plain = decode(decodeRelation, `R 00004000 00 't' 00 i ${columns}`);
    assert.deepEqual(plain, { subxid: undefined, ...expected });
    const streamed = decode(decodeRelation, `R ${subxid} 00004000 00 't' 00 i ${columns}`, true);
    assert.deepEqual(streamed, { subxid: 0xfffffffe, ...expected });
    assert.throws(() => decode(decodeRelation, "R 00004000 00 't' 00 x 0000"), { code: 'XX001' });
    const type = decode(decodeType, `Y ${subxid} 00004001 's' 00 'mood' 00`, true);
    assert.deepEqual(type, { subxid: 0xfffffffe, oid: 0x4001, schema: 's', name: 'mood' });
  });

  it('tell rows before and after', () => {
    const relationId = 0x4000;
    const row = "0003 t 00000002 '42' n t 00000006 'naïve'";
    const values = ['42', null, 'naïve'];
    for (const streamed of [false, true]) {
      const head = streamed ? `${subxid} 00004000` : '00004000';
      const common = { subxid: streamed ? 0xfffffffe : undefined, relationId };
      const one = <T>(decoder: Decoder<T>, letter: string, rest: string) =>
        decode(decoder, `${letter} ${head} ${rest}`, streamed);
      assert.deepEqual(one(decodeInsert, 'I', `N ${row}`), { ...common, after: values });
      assert.deepEqual(one(decodeUpdate, 'U', `N ${row}`), {
        ...common,
        before: undefined,
        after: values,
      });
      assert.deepEqual(one(decodeUpdate, 'U', `K ${row} N 0002 n u`), {
        ...common,
        before: ['42', undefined, 'naïve'],
        after: [null, undefined],
      });
      assert.deepEqual(one(decodeUpdate, 'U', `O ${row} N ${row}`).before, values);
      assert.deepEqual(one(decodeDelete, 'D', `O ${row}`), { ...common, before: values });
      assert.deepEqual(one(decodeDelete, 'D', 'K 0002 t 00000000 n').before, ['', undefined]);
    }
  });

  it('tell truncates and messages', () => {
    for (const streamed of [false, true]) {
      const head = streamed ? `T ${subxid}` : 'T';
      const written = `${head} 00000002 02 00004000 ffffffff`;
      assert.deepEqual(decode(decodeTruncate, written, streamed), {
        subxid: streamed ? 0xfffffffe : undefined,
        cascade: false,
        restartIdentity: true,
        relationIds: [0x4000, 0xffffffff],
      });
      assert.equal(decode(truncatedRelationCount, written, streamed), 2);
      const frame = frameOf(written);
      assert.equal(frame.readUInt32BE(truncatedRelationsOffset(streamed)), 0x4000);
    }
    const message = decode(decodeMessage, "M 01 0000000000000009 'pre' 00 00000002 'hi'");
    assert.deepEqual(message, {
      subxid: undefined,
      isTransactional: true,
      lsn: 9n,
      prefix: 'pre',
      content: Buffer.from('hi'),
    });
  });

  it('are scanned without being decoded', () => {
    const types = Object.values(pgoutputMessage);
    const withSubxid = types.filter(hasSubxid).map((type) => String.fromCharCode(type));
    assert.equal(withSubxid.sort().join(''), 'DIMRTUY');
    const withRelation = types.filter((type) => relationOffset(type, false) === 1);
    assert.equal(
      withRelation
        .map((type) => String.fromCharCode(type))
        .sort()
        .join(''),
      'DIRU',
    );
    assert.equal(relationOffset(pgoutputMessage.update, true), 5);
    assert.equal(relationOffset(pgoutputMessage.truncate, true), -1);
    const tuple = frameOf("0004 n u t 00000003 'abc' t 00000000 N");
    assert.equal(skipTuple(tuple, 0, tuple.length), tuple.length - 1);
    assert.throws(() => skipTuple(tuple, 0, tuple.length - 2), { code: 'XX001' });
  });

  it('are refused when they are not whole', () => {
    for (const written of [
      'I 00004000',
      'I 00004000 N',
      'I 00004000 K 0000',
      'I 00004000 N 0001',
      'I 00004000 N 0001 x',
      'I 00004000 N 0001 t 00000002 61',
      'I 00004000 N 0001 t ffffffff 61',
      'I 00004000 N 0001 t 7fffffff 61',
      'I 00004000 N 0000 00',
      'U 00004000 N 0000',
    ]) {
      assert.throws(() => decode(decodeInsert, written), { code: 'XX001' }, written);
    }
    assert.throws(() => decode(decodeTruncate, 'T 3fffffff 00 00004000'), { code: 'XX001' });
    assert.throws(() => decode(decodeTruncate, 'T ffffffff 00'), { code: 'XX001' });
    assert.throws(() => decode(decodeOrigin, "O 0000000000000009 'x'"), { code: 'XX001' });
    assert.throws(() => decode(decodeInsert, ''), { code: 'XX001' });
  });

  it('are never in binary', () => {
    const written = "I 00004000 N 0001 b 00000001 'x'";
    assert.throws(() => decode(decodeInsert, written), { code: 'XX000' });
    const tuple = frameOf("0001 b 00000001 'x'");
    assert.throws(() => skipTuple(tuple, 0, tuple.length), { code: 'XX000' });
  });
});
