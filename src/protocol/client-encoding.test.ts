import assert from 'node:assert/strict';
import { textCoding } from './client-encoding.ts';

const ascii = Buffer.from('SELECT 1');

describe('client encoding', () => {
  it('brings text back as it was', () => {
    for (const [encoding, bytes] of [
      ['UTF8', Buffer.from('naïve😀')],
      ['LATIN1', Buffer.from([0x80, 0xe9, 0xff])],
      ['WIN1252', Buffer.from([0x80, 0x99])],
      ['KOI8R', Buffer.from([0xc1])],
      ['ISO_8859_5', Buffer.from([0xc1])],
      ['EUC_JP', Buffer.from([0xa4, 0xa2, 0x8f, 0xb0, 0xa1])],
      ['SQL_ASCII', Buffer.from('naïve')],
      ['SQL_ASCII', Buffer.from([0xe9])],
    ] as const) {
      const coding = textCoding(encoding, bytes);
      const text = coding?.decode(bytes);
      assert.deepEqual(text === undefined ? undefined : coding?.encode(text), bytes, encoding);
    }
  });

  it('does not read invalid UTF-8', () => {
    const bytes = Buffer.from([0xff]);
    assert.equal(textCoding('UTF8', bytes)?.decode(bytes), undefined);
  });

  it('leaves encodings alone whose characters contain ASCII bytes', () => {
    for (const encoding of [
      'SJIS',
      'BIG5',
      'GBK',
      'UHC',
      'JOHAB',
      'GB18030',
      'MULE_INTERNAL',
      '',
    ]) {
      assert.equal(textCoding(encoding, ascii), undefined, encoding);
    }
  });

  it('knows how long the characters of EUC encodings are', () => {
    const lengthOf = (encoding: string, lead: number): number | undefined =>
      textCoding(encoding, ascii)?.characterUnits?.(String.fromCharCode(lead), 0);
    assert.equal(lengthOf('EUC_JP', 0x41), 1);
    assert.equal(lengthOf('EUC_JP', 0x8e), 2);
    assert.equal(lengthOf('EUC_JP', 0x8f), 3);
    assert.equal(lengthOf('EUC_TW', 0x8e), 4);
    assert.equal(lengthOf('EUC_KR', 0xb0), 2);
    assert.equal(textCoding('UTF8', ascii)?.characterUnits, undefined);
  });
});
