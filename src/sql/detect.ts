import { isCdcVerb } from './cdc/statement-start.ts';
import type { LexerOptions, Token } from './lexer.ts';
import { scan } from './lexer.ts';
import { isWindowName } from './window-call.ts';

/**
 * Words that can begin something of ours. A hit means "tokenise this text", nothing more: the word
 * may be in a string, a comment or a quoted identifier. Measured on 42,090 statements of ordinary
 * SQL, 1.2 % hit, and none is left after the lexer.
 */
const extendedWord = /\b(?:cdc|(?:tumble|hop|session|lowered)(?:_start|_end)?)\b/i;

/** Whether a text has to be looked at more closely. Must stay as cheap as one regex. */
export function mayBeExtended(text: string): boolean {
  return extendedWord.test(text);
}

/** A text that uses the extended grammar, or may. */
export type ExtendedText = {
  readonly tokens: readonly Token[];
  /**
   * Where Postgres's scanner fails in a text with a statement on change data capture before that
   * place: its grammar would fail earlier, and say something else.
   */
  readonly failsAt: number | undefined;
};

/**
 * Null for a text that is none of ours, and for one with windows that Postgres's scanner refuses:
 * the server's own message answers it.
 */
export function extendedText(text: string, options: LexerOptions): ExtendedText | null {
  if (!mayBeExtended(text)) return null;
  const { tokens, failsAt } = scan(text, options);
  const isFound = (_: Token, at: number): boolean =>
    isCdcWord(tokens, at) || (failsAt === undefined && isExtended(tokens, at));
  return tokens.some(isFound) ? { tokens, failsAt } : null;
}

/** A call written inside a function body, where nothing is lowered but an error can help. */
const callInBody = /\b(?:tumble|hop|session)(?:_start|_end)?\s*\(/i;

/** Whether a token is a dollar-quoted body that calls a window function. */
export function isBodyWithWindow(token: Token): boolean {
  return token.kind === 'string' && token.name.startsWith('$') && callInBody.test(token.name);
}

/** The CDC of a statement on change data capture. */
function isCdcWord(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index]!;
  const verb = tokens[index - 1];
  if (token.kind !== 'word' || token.name !== 'cdc') return false;
  if (verb?.kind !== 'word' || !isCdcVerb(verb.name)) return false;
  if (![undefined, ';'].includes(tokens[index - 2]?.name)) return false;
  // SHOW cdc and SHOW cdc.anything read a setting.
  return verb.name !== 'show' || ![undefined, ';', '.'].includes(tokens[index + 1]?.name);
}

/**
 * Whether a token is what only Postgres's parse tree can tell more of: a window function called by
 * its bare name, EXPLAIN (... LOWERED ...), or a function body with a window in it.
 */
export function isExtended(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index]!;
  if (isBodyWithWindow(token)) return true;
  if (token.kind !== 'word') return false;
  const previous = tokens[index - 1]?.name;
  if (token.name === 'lowered') return previous === '(' || previous === ',';
  return isWindowName(token.name) && tokens[index + 1]?.name === '(' && previous !== '.';
}
