import assert from 'node:assert/strict';
import fc from 'fast-check';
import { changeCount, type StoredFrame } from '../changes/decode-change.ts';
import { type Captured, openCaptured, withStreams } from '../testing/captured-frames.ts';
import { decodeBegin } from './begin.ts';
import { decodeCommit } from './commit.ts';
import { decodeDelete } from './delete.ts';
import { decodeInsert } from './insert.ts';
import { decodeMessage } from './logical-message.ts';
import { pgoutputMessage } from './message-type.ts';
import { decodeOrigin } from './origin.ts';
import { decodeRelation } from './relation.ts';
import { decodeStreamAbort } from './stream-abort.ts';
import { decodeStreamCommit } from './stream-commit.ts';
import { decodeStreamStart } from './stream-start.ts';
import { checkStreamStop } from './stream-stop.ts';
import { decodeTruncate } from './truncate.ts';
import { skipTuple } from './tuple-data.ts';
import { decodeType } from './type.ts';
import { decodeUpdate } from './update.ts';

/** Origins belong to the whole server. */
const origin = `heliosdb_test_${process.pid}`;

type Decode = (bytes: Buffer, start: number, end: number, streamed: boolean) => unknown;

const decoders = new Map<number, Decode>([
  [pgoutputMessage.begin, decodeBegin],
  [pgoutputMessage.commit, decodeCommit],
  [pgoutputMessage.delete, decodeDelete],
  [pgoutputMessage.insert, decodeInsert],
  [pgoutputMessage.message, decodeMessage],
  [pgoutputMessage.origin, decodeOrigin],
  [pgoutputMessage.relation, decodeRelation],
  [pgoutputMessage.streamAbort, decodeStreamAbort],
  [pgoutputMessage.streamCommit, decodeStreamCommit],
  [pgoutputMessage.streamStart, decodeStreamStart],
  [pgoutputMessage.streamStop, checkStreamStop],
  [pgoutputMessage.truncate, decodeTruncate],
  [pgoutputMessage.type, decodeType],
  [pgoutputMessage.update, decodeUpdate],
]);

describe('damaged frames', function () {
  this.timeout(60_000);

  let captured: Captured;
  let frames: StoredFrame[];

  before(async () => {
    captured = await openCaptured();
    await captured.client.query(`
      SELECT pg_replication_origin_create('${origin}');
      SELECT pg_replication_origin_session_setup('${origin}');
      CREATE TYPE mood AS ENUM ('good');
      CREATE TABLE t (id int PRIMARY KEY, name text, mood mood, list int[]);
      CREATE TABLE whole (id int PRIMARY KEY, name text);
      ALTER TABLE whole REPLICA IDENTITY FULL`);
    const changes = (count: number): string => `
      INSERT INTO t SELECT n, 'naïve', 'good', '{1,NULL}' FROM generate_series(1, ${count}) AS n;
      UPDATE t SET id = 0 WHERE id = 1;
      DELETE FROM t;
      INSERT INTO whole SELECT n FROM generate_series(1, ${count}) AS n;
      UPDATE whole SET name = '' WHERE id < 3;
      SELECT pg_logical_emit_message(true, 'heliosdb', '{"command":"ALTER TABLE"}');
      TRUNCATE t, whole`;
    await captured.client.query(`BEGIN; SELECT pg_replication_origin_xact_setup('0/9', now());
      ${changes(3)}; COMMIT`);
    await captured.client.query(`BEGIN; ${changes(500)}; SAVEPOINT s; ${changes(500)};
      ROLLBACK TO s; COMMIT`);
    // A few of each kind, in a stream and not, are enough.
    const counts = new Map<string, number>();
    frames = withStreams(await captured.frames()).filter(({ bytes, streamed }) => {
      const kind = `${bytes[0]} ${streamed}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      return counts.get(kind)! <= 4;
    });
  });

  after(async () => {
    await captured.client.query(
      `SELECT pg_replication_origin_session_reset(), pg_replication_origin_drop('${origin}')`,
    );
    await captured.close();
  });

  it('are of every kind before they are damaged', () => {
    const types = new Set(frames.map(({ bytes }) => bytes[0]!));
    assert.deepEqual([...types].sort(), [...decoders.keys()].sort());
    for (const { bytes, streamed } of frames) {
      decoders.get(bytes[0]!)!(bytes, 0, bytes.length, streamed);
    }
  });

  it('are damaged wherever they are cut', () => {
    for (const { bytes, streamed } of frames) {
      for (let end = 0; end < bytes.length; end++) {
        const decode = decoders.get(bytes[0]!)!;
        assert.throws(() => decode(bytes, 0, end, streamed), { code: 'XX001' });
      }
    }
  });

  it('are decoded or refused, without a look at what is around them', () => {
    const change = fc.tuple(
      fc.nat(),
      fc.oneof(fc.constantFrom(0, 1, 0x62, 0x7f, 0x80, 0xff), fc.nat(255)),
    );
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.option(fc.nat(), { freq: 3 }),
        (which, changed, streamed, cut) => {
          const damaged = Buffer.from(frames[which % frames.length]!.bytes);
          const decode = decoders.get(damaged[0]!)!;
          for (const [at, value] of changed) damaged[at % damaged.length] = value;
          const bytes = cut === null ? damaged : damaged.subarray(0, cut % damaged.length);
          for (const read of [
            decode,
            (...[all, start, end]: Parameters<Decode>) => skipTuple(all, start, end) - start,
            (...[all, start, end]: Parameters<Decode>) =>
              changeCount({ bytes: all, start, end, streamed }),
          ]) {
            const alone = outcome(read, bytes, [0, 0], streamed);
            assert.deepEqual(outcome(read, bytes, [7, 0x74], streamed), alone);
            assert.deepEqual(outcome(read, bytes, [3, 0], streamed), alone);
          }
        },
      ),
      { numRuns: 3000, ...seed() },
    );
  });
});

function seed(): { seed?: number } {
  const given = process.env['HELIOSDB_SEED'];
  return given === undefined ? {} : { seed: Number(given) };
}

/** What comes of the bytes among `count` others on both sides; only the two errors may. */
function outcome(
  decode: Decode,
  bytes: Buffer,
  [count, value]: readonly [number, number],
  streamed: boolean,
): unknown {
  const around = Buffer.alloc(count, value);
  const all = Buffer.concat([around, bytes, around]);
  try {
    return decode(all, count, count + bytes.length, streamed);
  } catch (error) {
    const { code, message, detail } = error as Record<'code' | 'message' | 'detail', unknown>;
    assert.ok(
      code === 'XX001' || (code === 'XX000' && /binary/.test(String(message))),
      String(error),
    );
    return { code, message, detail };
  }
}
