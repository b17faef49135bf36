/** What a token is. `word` is an unquoted identifier or keyword, folded to lower case in `name`. */
export type TokenKind =
  | 'word'
  | 'quoted'
  | 'string'
  | 'number'
  | 'parameter'
  | 'operator'
  | 'punctuation';

/** One token of SQL text; `start` and `end` are UTF-16 offsets. Comments and blanks leave none. */
export type Token = {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** Words folded to lower case, everything else as typed. */
  readonly name: string;
};

export type LexerOptions = {
  /** False when the session has switched standard_conforming_strings off. */
  readonly standardConformingStrings: boolean;
};

/**
 * Cuts SQL text into tokens exactly as Postgres's own scanner does (src/backend/parser/scan.l), or
 * answers null where that scanner would report an error: such a text is passed through, because the
 * server's own message is the right one.
 */
export function tokenize(text: string, options: LexerOptions): readonly Token[] | null {
  const { tokens, failsAt } = scan(text, options);
  return failsAt === undefined ? tokens : null;
}

/** The tokens of a text; where the scanner fails, those before that place. */
export function scan(
  text: string,
  options: LexerOptions,
): { readonly tokens: readonly Token[]; readonly failsAt: number | undefined } {
  const tokens: Token[] = [];
  const run: OperatorRun = { end: 0, tokenEnd: 0 };
  let at = 0;
  while (at < text.length) {
    const blank = skipBlank(text, at);
    if (blank < 0) return { tokens, failsAt: at };
    if (blank > at) {
      at = blank;
      continue;
    }
    const token = operatorCharacters.includes(text[at]!)
      ? readOperator(text, at, run)
      : readToken(text, at, options);
    if (token === null) return { tokens, failsAt: at };
    tokens.push(token);
    at = token.end;
  }
  return { tokens, failsAt: undefined };
}

/** The end of the run of white space and comments at `at`; -1 when a comment never ends. */
function skipBlank(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const char = text.charCodeAt(at);
    if (isSpace(char)) at += 1;
    else if (char === 45 && text.charCodeAt(at + 1) === 45) at = lineEnd(text, at);
    else if (char === 47 && text.charCodeAt(at + 1) === 42) {
      at = blockCommentEnd(text, at);
      if (at < 0) return -1;
    } else break;
  }
  return at;
}

function lineEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) !== 10 && text.charCodeAt(at) !== 13) at += 1;
  return at;
}

/** Block comments nest. */
function blockCommentEnd(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    if (text.startsWith('/*', at)) {
      depth += 1;
      at += 2;
    } else if (text.startsWith('*/', at)) {
      depth -= 1;
      at += 2;
      if (depth === 0) return at;
    } else at += 1;
  }
  return -1;
}

function readToken(text: string, at: number, options: LexerOptions): Token | null {
  const char = text[at]!;
  const next = text[at + 1];
  if (char === "'") return readString(text, at, at, !options.standardConformingStrings);
  if (char === '"') return readQuoted(text, at, at);
  if (next === "'") {
    if (char === 'e' || char === 'E') return readString(text, at, at + 1, true);
    if ('bBxX'.includes(char)) return readBits(text, at);
  }
  if ((char === 'u' || char === 'U') && next === '&') {
    if (text[at + 2] === "'") return readString(text, at, at + 2, false);
    if (text[at + 2] === '"') return readQuoted(text, at, at + 2);
  }
  if (isIdentifierStart(char)) return readWord(text, at);
  if (isDigit(char) || (char === '.' && next !== undefined && isDigit(next))) {
    return readNumber(text, at);
  }
  if (char === '$') return readDollar(text, at);
  return readSymbol(text, at);
}

function readWord(text: string, start: number): Token {
  let end = start + 1;
  while (end < text.length && isIdentifierPart(text[end]!)) end += 1;
  // Only ASCII letters are folded: what Postgres does in a multi-byte encoding.
  const name = text.slice(start, end).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return { kind: 'word', start, end, name };
}

function readQuoted(text: string, start: number, quote: number): Token | null {
  let at = quote + 1;
  for (;;) {
    const close = text.indexOf('"', at);
    if (close < 0) return null;
    if (text[close + 1] !== '"') {
      if (close === quote + 1) return null;
      return token('quoted', text, start, close + 1);
    }
    at = close + 2;
  }
}

function readString(
  text: string,
  start: number,
  quote: number,
  backslashEscapes: boolean,
): Token | null {
  let at = quote + 1;
  while (at < text.length) {
    const char = text[at];
    if (char === '\\' && backslashEscapes) {
      at = escapeEnd(text, at);
      if (at < 0) return null;
    } else if (char !== "'") at += 1;
    else if (text[at + 1] === "'") at += 2;
    else {
      const continued = continuationQuote(text, at + 1);
      if (continued < 0) return token('string', text, start, at + 1);
      at = continued + 1;
    }
  }
  return null;
}

const unicodeEscape = /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/y;

/**
 * The end of the escape whose backslash is at `at`; -1 where the scanner refuses it: `\u` and `\U`
 * want all their digits, a code point that exists, and surrogates in pairs.
 */
function escapeEnd(text: string, at: number): number {
  const letter = text[at + 1];
  if (letter !== 'u' && letter !== 'U') return at + 2;
  const first = unicodeEscapeAt(text, at);
  if (first === null) return -1;
  if (first.value < 0xd800 || first.value > 0xdfff) {
    return first.value > 0 && first.value <= 0x10ffff ? first.end : -1;
  }
  const second = first.value < 0xdc00 ? unicodeEscapeAt(text, first.end) : null;
  return second !== null && second.value >= 0xdc00 && second.value <= 0xdfff ? second.end : -1;
}

function unicodeEscapeAt(text: string, at: number): { value: number; end: number } | null {
  unicodeEscape.lastIndex = at;
  const match = unicodeEscape.exec(text);
  if (match === null) return null;
  return { value: Number.parseInt(match[1] ?? match[2]!, 16), end: unicodeEscape.lastIndex };
}

/** A bit string knows no doubled quotes. */
function readBits(text: string, start: number): Token | null {
  let close = text.indexOf("'", start + 2);
  while (close >= 0) {
    const continued = continuationQuote(text, close + 1);
    if (continued < 0) return token('string', text, start, close + 1);
    close = text.indexOf("'", continued + 1);
  }
  return null;
}

/**
 * SQL joins two literals that are separated by white space and comments with a newline in it.
 * Answers the offset of the quote that goes on, or -1.
 */
function continuationQuote(text: string, from: number): number {
  let at = from;
  let sawNewline = false;
  while (at < text.length) {
    const char = text.charCodeAt(at);
    if (char === 10 || char === 13) sawNewline = true;
    else if (char === 45 && text.charCodeAt(at + 1) === 45) {
      at = lineEnd(text, at);
      continue;
    } else if (!isSpace(char)) break;
    at += 1;
  }
  return sawNewline && text[at] === "'" ? at : -1;
}

const numberPattern =
  /(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?)/y;

const identifier = '[A-Za-z_\\u0080-\\uffff][A-Za-z0-9_$\\u0080-\\uffff]*';
const digits = '\\d(?:_?\\d)*';
const decimal = `(?:${digits}\\.(?:${digits})?|\\.${digits})`;
/** integer_junk, numeric_junk and real_junk of scan.l. */
const numberJunk: readonly RegExp[] = [
  new RegExp(`${digits}${identifier}`, 'y'),
  new RegExp(`${decimal}${identifier}`, 'y'),
  new RegExp(`(?:${digits}|${decimal})[eE][+-]?${digits}${identifier}`, 'y'),
];

function readNumber(text: string, start: number): Token | null {
  numberPattern.lastIndex = start;
  const match = numberPattern.exec(text);
  if (match === null) return null;
  const end = start + match[0].length;
  // A number that runs on into an identifier is an error of its own, if that is the longer match.
  for (const junk of numberJunk) {
    junk.lastIndex = start;
    if (junk.test(text) && junk.lastIndex > end) return null;
  }
  return token('number', text, start, end);
}

const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const parameter = /\$\d+/y;

function readDollar(text: string, start: number): Token | null {
  parameter.lastIndex = start;
  const number = parameter.exec(text);
  if (number !== null) {
    const end = start + number[0].length;
    if (end < text.length && isIdentifierStart(text[end]!)) return null;
    return token('parameter', text, start, end);
  }
  dollarTag.lastIndex = start;
  const tag = dollarTag.exec(text);
  if (tag === null) return null;
  const close = text.indexOf(tag[0], start + tag[0].length);
  if (close < 0) return null;
  return token('string', text, start, close + tag[0].length);
}

const operatorCharacters = '+-*/<>=~!@#%^&|`?';
/** An operator of several characters may end in + or - only when it holds one of these. */
const signKeepers = '~!@#%^&|`?';

function readSymbol(text: string, start: number): Token | null {
  const pair = text.slice(start, start + 2);
  if (pair === '::' || pair === ':=' || pair === '..') {
    return token('punctuation', text, start, start + 2);
  }
  return '()[],;.:'.includes(text[start]!) ? token('punctuation', text, start, start + 1) : null;
}

/** Neighbouring operator characters: where they end, and where the first token of them does. */
type OperatorRun = { end: number; tokenEnd: number };

/**
 * A run is looked at once, however many tokens it is cut into: a text of nothing but `+` has one
 * token for each, and each ends where the last character that is no sign stands.
 */
function readOperator(text: string, start: number, run: OperatorRun): Token {
  if (start >= run.end) measureRun(text, start, run);
  return token('operator', text, start, Math.max(run.tokenEnd, start + 1));
}

function measureRun(text: string, start: number, run: OperatorRun): void {
  let end = start;
  let keepsSign = false;
  let lastNoSign = start - 1;
  while (end < text.length && operatorCharacters.includes(text[end]!)) {
    if (end > start && (text.startsWith('--', end) || text.startsWith('/*', end))) break;
    const char = text[end]!;
    if (char !== '+' && char !== '-') lastNoSign = end;
    keepsSign ||= signKeepers.includes(char);
    end += 1;
  }
  run.end = end;
  run.tokenEnd = keepsSign ? end : lastNoSign + 1;
}

function token(kind: TokenKind, text: string, start: number, end: number): Token {
  return { kind, start, end, name: text.slice(start, end) };
}

function isSpace(char: number): boolean {
  return char === 32 || (char >= 9 && char <= 13);
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

function isIdentifierStart(char: string): boolean {
  return (
    (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z') || char === '_' || char >= '\u0080'
  );
}

function isIdentifierPart(char: string): boolean {
  return isIdentifierStart(char) || isDigit(char) || char === '$';
}
