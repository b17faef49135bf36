import { changeDamaged } from '../../core/errors/changes.ts';
import { arrayDepthMax } from '../../core/limits.ts';

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const quote = 0x22;
const backslash = 0x5c;

/** `[0:1][-3:5]=`, which Postgres prints where an array does not begin at 1. */
const boundsPattern = /^(?:\[-?\d+:-?\d+\])+=/;

export type ArrayForm = {
  readonly delimiter: string;
  /** An element that is not NULL, as JSON. */
  readonly printElement: (text: string) => string;
};

/**
 * An array as Postgres prints it, as a JSON array of arrays. Where the bounds begin is not in it.
 * Only what `array_out` prints is accepted, which is less than what can be typed in.
 */
export function printArray(literal: string, form: ArrayForm): string {
  const delimiter = form.delimiter.charCodeAt(0);
  let at = literal.charCodeAt(0) === openBracket ? boundsLength(literal) : 0;
  let json = '';
  let depth = 0;
  /** The last thing was a brace that opens, a delimiter or the end of an item. */
  let last: 'open' | 'delimiter' | 'item' = 'delimiter';
  do {
    const unit = literal.charCodeAt(at);
    if (unit === closeBrace) {
      if (last === 'delimiter') throw malformed(literal, at);
      depth -= 1;
      json += ']';
      last = 'item';
      at += 1;
    } else if (unit === delimiter) {
      if (last !== 'item') throw malformed(literal, at);
      json += ',';
      last = 'delimiter';
      at += 1;
    } else if (last === 'item') {
      throw malformed(literal, at);
    } else if (unit === openBrace) {
      depth += 1;
      if (depth > arrayDepthMax) throw malformed(literal, at);
      json += '[';
      last = 'open';
      at += 1;
    } else {
      if (depth === 0) throw malformed(literal, at);
      const to = unit === quote ? endOfQuoted(literal, at) : endOfBare(literal, at, delimiter);
      json += printItem(literal, at, to, form);
      last = 'item';
      at = to;
    }
  } while (depth > 0);
  if (at !== literal.length) throw malformed(literal, at);
  return json;
}

function boundsLength(literal: string): number {
  const match = boundsPattern.exec(literal);
  if (match === null) throw malformed(literal, 0);
  return match[0].length;
}

/** Behind the quote that closes. */
function endOfQuoted(literal: string, from: number): number {
  for (let at = from + 1; at < literal.length; at++) {
    const unit = literal.charCodeAt(at);
    if (unit === quote) return at + 1;
    if (unit === backslash) at += 1;
  }
  throw malformed(literal, from);
}

function endOfBare(literal: string, from: number, delimiter: number): number {
  for (let at = from; at < literal.length; at++) {
    const unit = literal.charCodeAt(at);
    if (unit === delimiter || unit === closeBrace) return at;
    if (unit === quote || unit === backslash || unit === openBrace) throw malformed(literal, at);
  }
  throw malformed(literal, from);
}

function printItem(literal: string, from: number, to: number, form: ArrayForm): string {
  if (literal.charCodeAt(from) !== quote) {
    const text = literal.slice(from, to);
    return text === 'NULL' ? 'null' : form.printElement(text);
  }
  const text = literal.slice(from + 1, to - 1);
  return form.printElement(text.includes('\\') ? text.replace(/\\(.)/gs, '$1') : text);
}

function malformed(literal: string, at: number): Error {
  return changeDamaged(`An array of ${literal.length} characters is none at character ${at + 1}.`);
}
