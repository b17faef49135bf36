import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FrameReader } from './frame-reader.ts';

type Frame = { readonly type: number; readonly body: Buffer };

function encode(frames: readonly Frame[]): Buffer {
  return Buffer.concat(
    frames.map(({ type, body }) => {
      const frame = Buffer.alloc(5 + body.length);
      frame[0] = type;
      frame.writeUInt32BE(4 + body.length, 1);
      body.copy(frame, 5);
      return frame;
    }),
  );
}

/** Runs a reader over chunks; returns the messages, the bytes given out, and the heads' sizes. */
function read(chunks: readonly Buffer[], headBytes: number) {
  const reader = new FrameReader(() => headBytes);
  const frames: { type: number; parts: Buffer[]; frameBytes: number }[] = [];
  const out: Buffer[] = [];
  const heads: number[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let step = reader.next(); step !== 'hungry'; step = reader.next()) {
      assert.notEqual(step, 'broken');
      const slice = reader.bytes.subarray(reader.start, reader.end);
      out.push(slice);
      if (step === 'head') {
        frames.push({ type: reader.type, parts: [slice], frameBytes: reader.frameBytes });
        heads.push(slice.length);
      } else frames.at(-1)!.parts.push(slice);
    }
  }
  return { frames, out: Buffer.concat(out), heads, reader };
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [...new Set(cuts.map((c) => c % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const point of [...points, bytes.length]) {
    if (point > from) chunks.push(bytes.subarray(from, point));
    from = point;
  }
  return chunks;
}

const frameArbitrary = fc.record({
  type: fc.integer({ min: 1, max: 255 }),
  body: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
});

describe('frame reader', () => {
  it('finds the same messages however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(frameArbitrary, { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.integer({ min: 0, max: 80 }),
        (frames, cuts, headBytes) => {
          const bytes = encode(frames);
          const result = read(cut(bytes, cuts), headBytes);
          assert.deepEqual(result.out, bytes);
          assert.equal(result.frames.length, frames.length);
          for (const [i, frame] of frames.entries()) {
            const found = result.frames[i]!;
            assert.equal(found.type, frame.type);
            assert.equal(found.frameBytes, 5 + frame.body.length);
            assert.deepEqual(Buffer.concat(found.parts).subarray(5), frame.body);
            assert.ok(result.heads[i]! >= Math.min(found.frameBytes, Math.max(5, headBytes)));
          }
          assert.ok(result.reader.isAtBoundary);
        },
      ),
    );
  });

  it('works byte by byte', () => {
    const bytes = encode([
      { type: 0x51, body: Buffer.from('SELECT 1\0') },
      { type: 0x53, body: Buffer.alloc(0) },
    ]);
    const result = read(
      [...bytes].map((byte) => Buffer.from([byte])),
      9,
    );
    assert.deepEqual(result.out, bytes);
    assert.deepEqual(
      result.frames.map((frame) => frame.type),
      [0x51, 0x53],
    );
  });

  it('gives out slices of the chunk when a message is whole in it', () => {
    const bytes = encode([{ type: 0x51, body: Buffer.from('x\0') }]);
    const reader = new FrameReader(() => 7);
    reader.push(bytes);
    assert.equal(reader.next(), 'head');
    assert.equal(reader.bytes, bytes);
  });

  it('is not at a boundary inside a header, a head or a body', () => {
    const bytes = encode([{ type: 0x64, body: Buffer.alloc(20) }]);
    for (let cutAt = 1; cutAt < bytes.length; cutAt++) {
      const { reader } = read([bytes.subarray(0, cutAt)], 10);
      assert.ok(!reader.isAtBoundary, `after ${cutAt} bytes`);
    }
  });

  for (const length of [0, 3, 0x8000_0000, 0xffff_ffff]) {
    it(`calls a length of ${length} broken and keeps the bytes`, () => {
      for (const cutAt of [0, 2, 5]) {
        const bytes = Buffer.alloc(9, 1);
        bytes.writeUInt32BE(length, 1);
        const reader = new FrameReader(() => 5);
        const chunks = cut(bytes, [cutAt]);
        let pushedBytes = 0;
        let step = 'hungry';
        while (step === 'hungry') {
          const chunk = chunks.shift()!;
          pushedBytes += chunk.length;
          reader.push(chunk);
          step = reader.next();
        }
        assert.equal(step, 'broken');
        assert.deepEqual(reader.takeUnread(), bytes.subarray(0, pushedBytes));
      }
    });
  }
});
