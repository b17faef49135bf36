import { quoteIdentifier } from '../core/quoting.ts';
import { type Body, bodyOf, listOf, type Node, namesOf, tagOf } from '../sql/parse-tree.ts';
import type { Source, TokenRange } from '../sql/source.ts';
import { expressionTable } from './probe-table.ts';
import { Edits, generated, type Pieces, template } from './splice.ts';

/** A query about parts of a statement: `before`, the parts with commas between them, `after`. */
export type Probed = {
  readonly ranges: readonly TokenRange[];
  readonly before: Pieces;
  readonly after: Pieces;
};

/**
 * What of a statement can be prepared as a query: all of a SELECT or DML statement, the query
 * inside EXPLAIN, CREATE TABLE AS, CREATE VIEW, PREPARE, DECLARE CURSOR and COPY, the windows in an
 * index or a table. Undefined where there is nothing; then it is lowered without knowing types.
 *
 * @param outside the windows that belong to no query
 */
export function probedQuery(
  source: Source,
  node: Node,
  range: TokenRange,
  outside: readonly TokenRange[],
): Probed | undefined {
  const anchor = source.startOf(range);
  const table = expressionTable(source, node);
  if (table !== undefined) {
    if (outside.length === 0) return undefined;
    const after = template(' FROM {0}', anchor, table);
    return { ranges: outside, before: [generated('SELECT ', anchor)], after };
  }
  const query = queryRange(source, node, range);
  if (query === undefined) return undefined;
  const { before, after } = recursiveView(node) ?? { before: '', after: '' };
  return {
    ranges: [query],
    before: [generated(before, anchor)],
    after: [generated(after, anchor)],
  };
}

/** CREATE RECURSIVE VIEW v (a) AS ... stands for WITH RECURSIVE v (a) AS (...) SELECT a FROM v. */
function recursiveView(
  node: Node,
): { readonly before: string; readonly after: string } | undefined {
  const view = bodyOf(node, 'ViewStmt');
  const select = bodyOf(view?.['query'], 'SelectStmt');
  const by = select?.['withClause'] as Body | undefined;
  // Such a WITH is not in the text.
  if (view === undefined || by?.['recursive'] !== true || by['location'] !== -1) return undefined;
  const name = quoteIdentifier(String((view['view'] as Body)['relname']));
  const columns = namesOf(listOf(view, 'aliases')).map(quoteIdentifier).join(', ');
  return { before: `WITH RECURSIVE ${name} (${columns}) AS (`, after: `) SELECT FROM ${name}` };
}

function queryRange(source: Source, node: Node, range: TokenRange): TokenRange | undefined {
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
  return queryRange(source, body['query'] as Node, { from, to: range.to });
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
export function declaredParameters(source: Source, node: Node, { ranges }: Probed): Edits {
  const edits = new Edits();
  const range = ranges[0];
  if (tagOf(node) !== 'PrepareStmt' || range === undefined) return edits;
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
