import { isUtf8 } from 'node:buffer';

/**
 * How statement texts of a session become strings and back. Only encodings in which no byte of a
 * longer character looks like ASCII can be spliced safely; in the others nothing is claimed.
 */
export type TextCoding = {
  readonly decode: (bytes: Buffer) => string | undefined;
  readonly encode: (text: string) => Buffer;
  /** Bytes of the character that begins with this unit, where a unit is not a character. */
  readonly characterUnits: ((text: string, at: number) => number) | undefined;
};

const utf8Coding: TextCoding = {
  decode: (bytes) => (isUtf8(bytes) ? bytes.toString('utf8') : undefined),
  encode: (text) => Buffer.from(text, 'utf8'),
  characterUnits: undefined,
};

/** One byte, one unit, one character. */
const singleByteCoding: TextCoding = {
  decode: (bytes) => bytes.toString('latin1'),
  encode: (text) => Buffer.from(text, 'latin1'),
  characterUnits: undefined,
};

function eucCoding(characterUnits: (lead: number) => number): TextCoding {
  return {
    ...singleByteCoding,
    characterUnits: (text, at) => {
      const lead = text.charCodeAt(at);
      return lead < 0x80 ? 1 : characterUnits(lead);
    },
  };
}

const eucKorean: TextCoding = eucCoding(() => 2);
const eucJapanese: TextCoding = eucCoding((lead) => (lead === 0x8f ? 3 : 2));
const eucTaiwan: TextCoding = eucCoding((lead) => (lead === 0x8e ? 4 : 2));

const singleByteNames = /^(?:LATIN\d+|ISO_8859_\d|WIN\d+|KOI8[RU])$/;

/**
 * The coding of a `client_encoding` as the server reports it; undefined where nothing is claimed
 * (SJIS, BIG5, GBK, UHC, JOHAB, GB18030, MULE_INTERNAL and whatever is not known).
 */
export function textCoding(clientEncoding: string, text: Buffer): TextCoding | undefined {
  switch (clientEncoding) {
    case 'UTF8':
      return utf8Coding;
    case 'SQL_ASCII':
      return isUtf8(text) ? utf8Coding : singleByteCoding;
    case 'EUC_KR':
    case 'EUC_CN':
      return eucKorean;
    case 'EUC_JP':
    case 'EUC_JIS_2004':
      return eucJapanese;
    case 'EUC_TW':
      return eucTaiwan;
    default:
      return singleByteNames.test(clientEncoding) ? singleByteCoding : undefined;
  }
}
