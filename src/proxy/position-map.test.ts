import assert from 'node:assert/strict';
import type { PositionMap } from '../contracts/rewriter.ts';
import { textCoding } from '../protocol/client-encoding.ts';
import { mapPosition, positionTranslator } from './position-map.ts';

/** `SELECT tumble(x), y` sent as `SELECT date_bin('1 min', x), y`. */
const positions: PositionMap = [
  { sent: 0, client: 0, copied: true },
  { sent: 7, client: 7, copied: false },
  { sent: 25, client: 14, copied: true },
];

describe('position map', () => {
  it('keeps offsets inside copied text and points at the cause elsewhere', () => {
    for (const [sent, client] of [
      [1, 1],
      [7, 7],
      [8, 8],
      [20, 8],
      [25, 8],
      [26, 15],
      [29, 18],
    ] as const) {
      assert.equal(mapPosition(positions, sent), client, `sent ${sent}`);
    }
  });

  it('points at the beginning when nothing is known', () => {
    assert.equal(mapPosition([], 5), 1);
    assert.equal(mapPosition([{ sent: 9, client: 9, copied: true }], 5), 1);
  });

  it('counts characters where a string holds bytes', () => {
    const coding = textCoding('EUC_JP', Buffer.alloc(0));
    assert.ok(coding);
    // Two characters of two bytes, then three copied ASCII ones behind ten inserted.
    const clientText = '\xa4\xa2\xa4\xa4abc';
    const sentText = `\xa4\xa2\xa4\xa4${'-'.repeat(10)}abc`;
    const translator = positionTranslator({
      coding,
      clientText,
      sentText,
      positions: [
        { sent: 0, client: 0, copied: true },
        { sent: 4, client: 4, copied: false },
        { sent: 14, client: 4, copied: true },
      ],
    });
    assert.equal(translator.fromSent(2), 2);
    assert.equal(translator.fromSent(5), 3);
    assert.equal(translator.fromSent(14), 4);
    assert.equal(translator.fromClient(5), 3);
  });
});
