import type { PgError } from '../core/errors/pg-error.ts';
import { statementTooComplex } from '../core/errors/windows.ts';
import { claimedNestingMax, claimedOperatorsMax, claimedTextUnitsMax } from '../core/limits.ts';
import type { Source, TokenRange } from './source.ts';
import { isWindowName } from './window-call.ts';

/** The statements of a Query: split at semicolons outside brackets and BEGIN ATOMIC bodies. */
export function statementRanges(source: Source): readonly TokenRange[] {
  const ranges: TokenRange[] = [];
  let from = 0;
  let atomic = 0;
  for (let at = 0; at < source.tokens.length; at += 1) {
    const close = source.partner(at);
    if (close > at) at = close;
    else if (source.isWord(at, 'atomic') && source.isWord(at - 1, 'begin')) atomic = 1;
    else if (atomic > 0 && source.isWord(at, 'case')) atomic += 1;
    else if (atomic > 0 && source.isWord(at, 'end')) atomic -= 1;
    else if (source.name(at) === ';' && atomic === 0) {
      if (at > from) ranges.push({ from, to: at });
      from = at + 1;
    }
  }
  if (source.tokens.length > from) ranges.push({ from, to: source.tokens.length });
  return ranges;
}

/**
 * The first statement that is too much for the parser's stack, which does not guard itself: a chain
 * of 8,000 operators breaks the WASM instance for good.
 */
export function checkComplexity(
  source: Source,
  ranges: readonly TokenRange[],
): { readonly range: TokenRange; readonly error: PgError } | undefined {
  for (const range of ranges) {
    const detail = complexityOf(source, range);
    if (detail !== undefined) return { range, error: statementTooComplex(detail) };
  }
  return undefined;
}

/** Whether a window is called by name; a longer statement beside such a one is none of ours. */
function holdsWindow(source: Source, range: TokenRange): boolean {
  for (let at = range.from; at < range.to; at += 1) {
    if (isWindowName(source.name(at)) && source.name(at + 1) === '(') return true;
  }
  return false;
}

const chainWords = new Set([
  'and',
  'or',
  'not',
  'union',
  'intersect',
  'except',
  'join',
  'in',
  'like',
  'is',
]);

function complexityOf(source: Source, range: TokenRange): string | undefined {
  const units = source.endOf(range) - source.startOf(range);
  if (units > claimedTextUnitsMax && holdsWindow(source, range)) {
    return `A statement with a window may be ${claimedTextUnitsMax} characters long; this one has ${units}.`;
  }
  let operators = 0;
  let depth = 0;
  for (let at = range.from; at < range.to; at += 1) {
    const token = source.tokens[at]!;
    if (token.kind === 'operator' || token.name === '::') operators += 1;
    else if (token.kind === 'word' && chainWords.has(token.name)) operators += 1;
    else if (token.name === '(' || token.name === '[') depth += 1;
    else if (token.name === ')' || token.name === ']') depth -= 1;
    if (depth > claimedNestingMax) {
      return `A query with a window may nest ${claimedNestingMax} levels of brackets.`;
    }
  }
  if (operators <= claimedOperatorsMax) return undefined;
  return `A query with a window may hold ${claimedOperatorsMax} operators in a statement; this one has ${operators}.`;
}
