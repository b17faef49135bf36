import { type Body, type Node, tagOf } from '../sql/parse-tree.ts';
import type { Source, TokenRange } from '../sql/source.ts';
import { Edits, generated } from './splice.ts';

/**
 * The part of a statement that can be prepared as a query of its own: all of a SELECT or DML
 * statement, the query inside EXPLAIN, CREATE TABLE AS, CREATE VIEW, PREPARE, DECLARE
 * CURSOR and COPY.
 * Undefined where there is no such part; then the statement is lowered without knowing types.
 */
export function probeRange(source: Source, node: Node, range: TokenRange): TokenRange | undefined {
  const tag = tagOf(node);
  switch (tag) {
    case 'SelectStmt':
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return range;
    case 'ExplainStmt':
      return explained(source, node[tag]!, range);
    case 'CreateTableAsStmt':
    case 'ViewStmt':
    case 'PrepareStmt':
      return after(source, range, 'as');
    case 'DeclareCursorStmt':
      return after(source, range, 'for');
    case 'CopyStmt':
      return copied(source, range);
    default:
      return undefined;
  }
}

function explained(source: Source, body: Body, range: TokenRange): TokenRange | undefined {
  let from = range.from + 1;
  while (
    source.isWord(from, 'analyze') ||
    source.isWord(from, 'analyse') ||
    source.isWord(from, 'verbose')
  ) {
    from += 1;
  }
  const queries = ['select', 'with', 'values', 'insert', 'update', 'delete', 'merge', '('];
  if (source.name(from) === '(' && !queries.includes(source.name(from + 1))) {
    from = source.partner(from) + 1;
  }
  return probeRange(source, body['query'] as Node, { from, to: range.to });
}

/** From after the first top-level keyword to the clauses that follow the query. */
function after(source: Source, range: TokenRange, keyword: string): TokenRange | undefined {
  for (let at = range.from; at < range.to; at += 1) {
    const close = source.partner(at);
    if (close > at) at = close;
    else if (source.isWord(at, keyword))
      return { from: at + 1, to: queryEnd(source, at + 1, range.to) };
  }
  return undefined;
}

/** Before WITH [NO] DATA and WITH ... CHECK OPTION. */
function queryEnd(source: Source, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const close = source.partner(at);
    if (close > at) at = close;
    else if (at > from && source.isWord(at, 'with')) {
      if (['data', 'no', 'check', 'local', 'cascaded'].includes(source.name(at + 1))) return at;
    }
  }
  return to;
}

function copied(source: Source, range: TokenRange): TokenRange | undefined {
  const open = range.from + 1;
  return source.name(open) === '(' ? { from: open + 1, to: source.partner(open) } : undefined;
}

/** The parameters of `PREPARE name (type, ...)` with their types, which a probe cannot declare. */
export function declaredParameters(source: Source, node: Node, range: TokenRange): Edits {
  const edits = new Edits();
  if (tagOf(node) !== 'PrepareStmt') return edits;
  let open = range.from;
  while (open > 0 && !source.isWord(open, 'prepare')) open -= 1;
  open += 2;
  if (source.name(open) !== '(') return edits;
  const types = source.splitCommas({ from: open + 1, to: source.partner(open) });
  for (let at = range.from; at < range.to; at += 1) {
    const token = source.tokens[at]!;
    const type = token.kind === 'parameter' ? types[Number(token.name.slice(1)) - 1] : undefined;
    if (type === undefined) continue;
    const text = `CAST(${token.name} AS ${source.slice(type)})`;
    edits.replace(token.start, token.end, [generated(text, token.start)]);
  }
  return edits;
}
