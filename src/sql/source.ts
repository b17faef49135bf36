import type { Token } from './lexer.ts';

/** A run of tokens by index, end excluded. */
export type TokenRange = { readonly from: number; readonly to: number };

/**
 * The text of one Query with its tokens: everything that speaks of places in the text goes through
 * here, because the parser counts UTF-8 bytes, errors count characters and strings UTF-16 units.
 */
export class Source {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** For each bracket the index of its partner, otherwise -1. */
  readonly #partner: Int32Array;
  readonly #characters: (unit: number) => number;
  /** UTF-16 offset of each byte; undefined while the text is pure ASCII and both are the same. */
  readonly #unitOfByte: Uint32Array | undefined;

  /** @param parsed the text the parser saw, of the same length in UTF-16 units */
  constructor(text: string, tokens: readonly Token[], parsed: string = text) {
    this.text = text;
    this.tokens = tokens;
    this.#partner = pairBrackets(tokens);
    this.#characters = characterCounter(text);
    this.#unitOfByte = bytesToUnits(parsed);
  }

  /** UTF-16 offset of a UTF-8 offset. */
  unitOf(byte: number): number {
    return this.#unitOfByte === undefined ? byte : (this.#unitOfByte[byte] ?? this.text.length);
  }

  /** Index of the token that starts at or holds this UTF-16 offset. */
  tokenAt(unit: number): number {
    let low = 0;
    let high = this.tokens.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tokens[middle]!.start <= unit) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Index of the token a parse-tree node points at. */
  tokenOfByte(byte: number): number {
    return this.tokenAt(this.unitOf(byte));
  }

  /** Index of the bracket that closes (or opens) the one at this index, -1 when there is none. */
  partner(index: number): number {
    return this.#partner[index] ?? -1;
  }

  name(index: number): string {
    return this.tokens[index]?.name ?? '';
  }

  /** Whether the token is this unquoted word. */
  isWord(index: number, word: string): boolean {
    const token = this.tokens[index];
    return token !== undefined && token.kind === 'word' && token.name === word;
  }

  /** UTF-16 start of a range. */
  startOf(range: TokenRange): number {
    return this.tokens[range.from]?.start ?? this.text.length;
  }

  /** UTF-16 end of a range. */
  endOf(range: TokenRange): number {
    return range.to > range.from ? this.tokens[range.to - 1]!.end : this.startOf(range);
  }

  slice(range: TokenRange): string {
    return this.text.slice(this.startOf(range), this.endOf(range));
  }

  /** Splits a range at its commas, brackets skipped. */
  splitCommas(range: TokenRange): readonly TokenRange[] {
    if (range.to <= range.from) return [];
    const parts: TokenRange[] = [];
    let from = range.from;
    for (let at = range.from; at < range.to; at += 1) {
      const close = this.partner(at);
      if (close > at) at = close;
      else if (this.name(at) === ',') {
        parts.push({ from, to: at });
        from = at + 1;
      }
    }
    parts.push({ from, to: range.to });
    return parts;
  }

  /** The range without brackets that enclose all of it; those of a subquery are its own. */
  stripParentheses(range: TokenRange): TokenRange {
    let { from, to } = range;
    while (to - from > 2 && this.name(from) === '(' && this.partner(from) === to - 1) {
      if (['select', 'with', 'values', 'table'].includes(this.name(from + 1))) break;
      from += 1;
      to -= 1;
    }
    return { from, to };
  }

  /** Whether two ranges hold the same tokens, whatever the blanks between them. */
  sameTokens(left: TokenRange, right: TokenRange): boolean {
    if (left.to - left.from !== right.to - right.from) return false;
    for (let at = 0; at < left.to - left.from; at += 1) {
      if (this.name(left.from + at) !== this.name(right.from + at)) return false;
    }
    return true;
  }

  /** 1-based character (code point) position of a UTF-16 offset, as ErrorResponse counts. */
  positionOf(unit: number): number {
    return this.#characters(unit) + 1;
  }
}

/** How many characters (code points) stand before a UTF-16 offset. */
export function charactersBefore(text: string, unit: number): number {
  let count = unit;
  for (let at = 0; at < unit; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0xdc00 && code <= 0xdfff) count -= 1;
  }
  return count;
}

/** The same for many offsets of one text, which is read once. */
export function characterCounter(text: string): (unit: number) => number {
  if (!/[\udc00-\udfff]/.test(text)) return (unit) => unit;
  const counts = new Uint32Array(text.length + 1);
  for (let unit = 0; unit < text.length; unit += 1) {
    const code = text.charCodeAt(unit);
    counts[unit + 1] = counts[unit]! + (code >= 0xdc00 && code <= 0xdfff ? 0 : 1);
  }
  return (unit) => counts[Math.min(unit, text.length)]!;
}

function pairBrackets(tokens: readonly Token[]): Int32Array {
  const partner = new Int32Array(tokens.length).fill(-1);
  const open: number[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'punctuation') continue;
    if (token.name === '(' || token.name === '[') open.push(index);
    else if (token.name === ')' || token.name === ']') {
      const opened = open.pop();
      if (opened === undefined) continue;
      partner[opened] = index;
      partner[index] = opened;
    }
  }
  return partner;
}

function bytesToUnits(text: string): Uint32Array | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes === text.length) return undefined;
  const units = new Uint32Array(bytes + 1);
  let byte = 0;
  for (let unit = 0; unit < text.length; ) {
    const code = text.codePointAt(unit)!;
    const width = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    units.fill(unit, byte, byte + width);
    byte += width;
    unit += code < 0x10000 ? 1 : 2;
  }
  units[bytes] = text.length;
  return units;
}
