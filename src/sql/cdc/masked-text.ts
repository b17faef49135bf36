import type { Token } from '../lexer.ts';
import type { Source, TokenRange } from '../source.ts';

/**
 * A statement as the grammars read it (grammar/README.md): of the same length in UTF-16 units, in
 * which nothing can be taken for something else than the token it belongs to.
 */
export function maskedText(source: Source, range: TokenRange): string {
  const from = source.startOf(range);
  let text = '';
  for (let at = range.from; at < range.to; at += 1) {
    const token = source.tokens[at]!;
    text += ' '.repeat(token.start - from - text.length) + maskOf(token);
  }
  return text;
}

function maskOf(token: Token): string {
  const { kind, name } = token;
  switch (kind) {
    case 'word':
    case 'operator':
    case 'punctuation':
    case 'parameter':
      return name;
    case 'number':
      return name.replaceAll(/[^0-9]/g, '#');
    case 'string':
      return isOrdinary(name) ? quoted("'", name.length) : '?'.repeat(name.length);
    case 'quoted':
      return isUnicode(name) ? '?'.repeat(name.length) : quoted('"', name.length);
  }
}

function quoted(quote: string, length: number): string {
  return quote + '-'.repeat(length - 2) + quote;
}

/** Bit strings are no strings; U&'...' is one that only Postgres needs to read. */
function isOrdinary(name: string): boolean {
  return !/^(?:[bBxX]'|[uU]&')/.test(name);
}

/** Not what to_regclass() or parse_ident() would read, so it is no name of ours. */
function isUnicode(name: string): boolean {
  return !name.startsWith('"');
}
