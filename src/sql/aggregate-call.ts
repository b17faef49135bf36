import { builtinFunctions } from './builtin-functions.ts';
import { type Body, bodyOf, listOf, locationOf, type Node, namesOf } from './parse-tree.ts';
import type { Source, TokenRange } from './source.ts';

/** Every aggregate of pg_catalog, Postgres 14 to 18. */
const builtinAggregates: ReadonlySet<string> = new Set(
  `any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp
  cume_dist dense_rank every json_agg json_agg_strict json_object_agg json_object_agg_strict
  json_object_agg_unique json_object_agg_unique_strict jsonb_agg jsonb_agg_strict jsonb_object_agg
  jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict max min mode
  percent_rank percentile_cont percentile_disc range_agg range_intersect_agg rank regr_avgx
  regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev
  stddev_pop stddev_samp string_agg sum var_pop var_samp variance xmlagg`.split(/\s+/),
);

/** The parts of an aggregate call that are computed per row, and where they stand. */
export type AggregateCall = {
  /** The unqualified name. */
  readonly name: string;
  /** From the first name to the end of FILTER (...) or WITHIN GROUP (...). */
  readonly range: TokenRange;
  /** Arguments, ORDER BY expressions and FILTER condition: node and tokens of each. */
  readonly inputs: readonly { readonly node: Node; readonly range: TokenRange }[];
  /** Direct arguments of an ordered-set aggregate: constant within a group, not lifted. */
  readonly direct: readonly { readonly node: Node; readonly range: TokenRange }[];
  readonly filter: { readonly node: Node; readonly range: TokenRange } | undefined;
  /** `name(argument)` or `count(*)`, at most with a FILTER: the forms that can be decomposed. */
  readonly plain: boolean;
  readonly star: boolean;
};

/** Whether a call without OVER is an aggregate as far as its own text tells. */
export function looksAggregate(body: Body): boolean {
  if (body['over'] !== undefined) return false;
  const marks = ['agg_star', 'agg_distinct', 'agg_within_group', 'agg_order', 'agg_filter'];
  if (marks.some((mark) => body[mark] !== undefined)) return true;
  const names = namesOf(listOf(body, 'funcname'));
  const schema = names.length > 1 ? names[0] : 'pg_catalog';
  return schema === 'pg_catalog' && builtinAggregates.has(names.at(-1)!);
}

/** What is known of functions that the grammar does not tell from aggregates. */
export type UserFunctions = {
  /** Undefined where that is not known. */
  isAggregate(names: readonly string[]): boolean | undefined;
};

/** Whether a call that does not look like an aggregate may be one of the user's own. */
export function mayAggregate(body: Body): boolean {
  const names = namesOf(listOf(body, 'funcname'));
  if (body['over'] !== undefined || names[0] === 'pg_catalog') return false;
  return names.length > 1 || !builtinFunctions.has(names[0]!);
}

/** Finds the parts of an aggregate call in the text. */
export function readAggregateCall(source: Source, body: Body): AggregateCall {
  const from = source.tokenOfByte(locationOf(body));
  let open = from;
  while (source.name(open) !== '(') open += 1;
  const close = source.partner(open);
  const args = listOf(body, 'args');
  const order = listOf(body, 'agg_order').map((sort) => bodyOf(sort, 'SortBy')!['node'] as Node);
  const withinGroup = body['agg_within_group'] === true;
  const inside = readInside(source, { from: open + 1, to: close });
  const argumentInputs = args.map((node, index) => {
    const range = inside.arguments[index] ?? { from: close, to: close };
    return { node: valueOfNamed(node), range: skipArgumentPrefix(source, range, node) };
  });
  let to = close + 1;
  let orderRanges = inside.orderBy;
  if (withinGroup) {
    const groupClose = source.partner(to + 2);
    orderRanges = readInside(source, { from: to + 3, to: groupClose }).orderBy;
    to = groupClose + 1;
  }
  const orderInputs = order.map((node, index) => ({ node, range: orderRanges[index]! }));
  let filter: AggregateCall['filter'];
  if (body['agg_filter'] !== undefined) {
    const filterClose = source.partner(to + 1);
    filter = { node: body['agg_filter'] as Node, range: { from: to + 3, to: filterClose } };
    to = filterClose + 1;
  }
  const inputs = withinGroup ? orderInputs : [...argumentInputs, ...orderInputs];
  const names = namesOf(listOf(body, 'funcname'));
  const star = body['agg_star'] === true;
  const plainParts = order.length === 0 && body['agg_distinct'] !== true && !body['func_variadic'];
  return {
    name: names.at(-1)!,
    range: { from, to },
    inputs: filter === undefined ? inputs : [...inputs, filter],
    direct: withinGroup ? argumentInputs : [],
    filter,
    plain: plainParts && (star || args.length === 1),
    star,
  };
}

/** Splits `[ALL | DISTINCT] a, b ORDER BY c DESC, d` into its expressions. */
function readInside(
  source: Source,
  inside: TokenRange,
): { arguments: readonly TokenRange[]; orderBy: readonly TokenRange[] } {
  const first = source.name(inside.from);
  const skipped = first === 'all' || first === 'distinct' ? 1 : 0;
  const from = inside.from + skipped;
  let order = -1;
  for (let at = from; at < inside.to && order < 0; at += 1) {
    const close = source.partner(at);
    if (close > at) at = close;
    else if (source.isWord(at, 'order') && source.isWord(at + 1, 'by')) order = at;
  }
  const end = order < 0 ? inside.to : order;
  const orderBy = order < 0 ? [] : source.splitCommas({ from: order + 2, to: inside.to });
  return {
    arguments: source.splitCommas({ from, to: end }),
    orderBy: orderBy.map((item) => withoutDirection(source, item)),
  };
}

/** The expression of an ORDER BY item without ASC, DESC, USING and NULLS FIRST or LAST. */
export function withoutDirection(source: Source, item: TokenRange): TokenRange {
  let { to } = item;
  if (to - item.from > 2 && source.isWord(to - 2, 'nulls')) to -= 2;
  if (to - item.from > 1 && (source.isWord(to - 1, 'asc') || source.isWord(to - 1, 'desc')))
    to -= 1;
  for (let at = item.from + 1; at < to; at += 1) {
    const close = source.partner(at);
    if (close > at) at = close;
    else if (source.isWord(at, 'using')) to = at;
  }
  return { from: item.from, to };
}

function valueOfNamed(node: Node): Node {
  const named = bodyOf(node, 'NamedArgExpr');
  return named === undefined ? node : (named['arg'] as Node);
}

function skipArgumentPrefix(source: Source, range: TokenRange, node: Node): TokenRange {
  if (bodyOf(node, 'NamedArgExpr') !== undefined) return { from: range.from + 2, to: range.to };
  return source.isWord(range.from, 'variadic') ? { from: range.from + 1, to: range.to } : range;
}
