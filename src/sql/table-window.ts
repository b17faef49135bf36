import type { Token } from './lexer.ts';
import { isWindowName } from './window-call.ts';

/** A stretch of the client's text, in UTF-16 units. */
export type Stretch = { readonly start: number; readonly end: number };

/** A text with the table-valued forms written as ordinary calls. */
export type PlainCalls = {
  /** As long as the client's text in UTF-16 units, so that every offset stays what it was. */
  readonly text: string;
  readonly tokens: readonly Token[];
  /** What stands in the PARTITION BY of a SESSION in FROM, by the offset of the function name. */
  readonly partitions: ReadonlyMap<number, Stretch>;
  /** All of `TABLE(TUMBLE(...))`, by the offset of the function name. */
  readonly wrappers: ReadonlyMap<number, Stretch>;
};

/**
 * `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), size))` is not Postgres syntax: TABLE, DESCRIPTOR and
 * PARTITION BY are blanked out, which leaves the call `TUMBLE(t, ts, size)`.
 */
export function plainCalls(text: string, tokens: readonly Token[]): PlainCalls {
  const blanked = new Set<number>();
  const partitions = new Map<number, Stretch>();
  const wrappers = new Map<number, Stretch>();
  const is = (index: number, name: string) => tokens[index]?.name === name;
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' || !isWindowName(token.name) || !is(index + 1, '(')) continue;
    if (is(index - 1, '(') && is(index - 2, 'table')) blankWrapper(index - 2);
    blankArguments(index);
  }
  return {
    text: blankOut(text, tokens, blanked),
    tokens: blanked.size === 0 ? tokens : tokens.filter((_, index) => !blanked.has(index)),
    partitions,
    wrappers,
  };

  function blankWrapper(table: number): void {
    const close = closing(table + 1);
    if (close < 0) return;
    for (const index of [table, table + 1, close]) blanked.add(index);
    const name = tokens[table + 2]!.start;
    wrappers.set(name, { start: tokens[table]!.start, end: tokens[close]!.end });
  }

  function blankArguments(name: number): void {
    if (is(name + 2, 'table')) blanked.add(name + 2);
    const close = closing(name + 1);
    let partition = -1;
    for (let at = name + 2; at < close; at += 1) {
      if (is(at, 'partition') && is(at + 1, 'by')) partition = at;
      if (!is(at, 'descriptor') || !is(at + 1, '(')) continue;
      for (const index of [at, at + 1, closing(at + 1)]) blanked.add(index);
      if (partition >= 0) blankPartition(name, partition, at - 1);
      return;
    }
  }

  /** From PARTITION to the comma before DESCRIPTOR, which stays. */
  function blankPartition(name: number, from: number, comma: number): void {
    for (let at = from; at < comma; at += 1) blanked.add(at);
    const wrapped = is(from + 2, '(') && closing(from + 2) === comma - 1;
    const first = tokens[wrapped ? from + 3 : from + 2];
    const last = tokens[wrapped ? comma - 2 : comma - 1];
    if (first === undefined || last === undefined) return;
    partitions.set(tokens[name]!.start, { start: first.start, end: last.end });
  }

  function closing(open: number): number {
    let depth = 0;
    for (let at = open; at < tokens.length; at += 1) {
      if (is(at, '(')) depth += 1;
      else if (is(at, ')')) {
        depth -= 1;
        if (depth === 0) return at;
      }
    }
    return -1;
  }
}

function blankOut(text: string, tokens: readonly Token[], blanked: ReadonlySet<number>): string {
  let result = '';
  let at = 0;
  for (const index of [...blanked].sort((a, b) => a - b)) {
    const token = tokens[index];
    if (token === undefined) continue;
    result += text.slice(at, token.start) + ' '.repeat(token.end - token.start);
    at = token.end;
  }
  return result + text.slice(at);
}
