import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FrameSplitter } from './frames.ts';

const stream = Buffer.concat(
  ['', 'x', 'a longer body'].map((body) => {
    const head = Buffer.from('Z\0\0\0\0');
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, Buffer.from(body)]);
  }),
);

describe('the frames of a byte stream', () => {
  it('are the same however it was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const splitter = new FrameSplitter();
        const bounds = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const bodies = bounds
          .slice(1)
          .flatMap((end, index) => splitter.push(stream.subarray(bounds[index], end)))
          .map(({ body }) => body.toString());
        assert.deepEqual(bodies, ['', 'x', 'a longer body']);
      }),
    );
  });
});
