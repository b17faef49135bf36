import { firstLocation, type Node } from './parse-tree.ts';
import type { Source, TokenRange } from './source.ts';

/**
 * The tokens of an expression of GROUP BY, without brackets around it: the comma-separated stretch
 * its first token is in, at whatever depth of ROLLUP, CUBE and GROUPING SETS.
 *
 * @param clause from GROUP to the end of the clause
 */
export function rangeOfGroupItem(
  source: Source,
  clause: TokenRange,
  item: Node,
): TokenRange | undefined {
  const place = firstLocation(item);
  if (place === undefined) return undefined;
  const first = clause.from + 2;
  const isQuantified = source.isWord(first, 'distinct') || source.isWord(first, 'all');
  const items = { from: isQuantified ? first + 1 : first, to: clause.to };
  return smallestItem(source, items, source.tokenOfByte(place));
}

function smallestItem(source: Source, range: TokenRange, token: number): TokenRange | undefined {
  const part = source.splitCommas(range).find(({ from, to }) => token >= from && token < to);
  if (part === undefined) return undefined;
  const isSets = ['rollup', 'cube', 'grouping'].includes(source.name(part.from));
  const opened = isSets ? openAfter(source, part) : part.from;
  const isList =
    source.name(opened) === '(' &&
    source.partner(opened) === part.to - 1 &&
    (isSets || source.splitCommas({ from: opened + 1, to: part.to - 1 }).length > 1);
  return isList
    ? smallestItem(source, { from: opened + 1, to: part.to - 1 }, token)
    : source.stripParentheses(part);
}

function openAfter(source: Source, part: TokenRange): number {
  let at = part.from;
  while (at < part.to && source.name(at) !== '(') at += 1;
  return at;
}
