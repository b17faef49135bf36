import * as errors from '../../core/errors/cdc.ts';
import { parseLsn } from '../../core/lsn.ts';
import type { LexerOptions } from '../lexer.ts';
import type { Source } from '../source.ts';
import { stringValue } from '../string-constant.ts';
import type { ShowCdcEvents, Span } from './statement.ts';

/** What the actions of grammar/show-cdc-events.peggy answer. */
export type EventsTree = {
  readonly table: readonly Span[] | null;
  readonly where: Span | null;
  readonly since: Span | null;
  readonly limit: LimitTree | null;
  readonly follows: boolean;
};

type LimitTree =
  | { readonly kind: 'all' }
  | (Span & { readonly kind: 'count'; readonly digits: Span; readonly isNegative: boolean });

/** In the order they have to come in. */
export const eventClauses: readonly string[] = ['FROM', 'WHERE', 'SINCE', 'LIMIT', 'FOLLOW'];

/** Without LIMIT: as many as are read on a screen or two. */
const limitByDefault = 100n;
const int8Max = 2n ** 63n - 1n;

export function readShowCdcEvents(
  source: Source,
  tree: EventsTree,
  options: LexerOptions,
): ShowCdcEvents {
  return {
    stem: 'show-cdc-events',
    table: readTable(source, tree.table),
    where: tree.where ?? undefined,
    since: readSince(source, tree.since, options),
    limit: readLimit(source, tree.limit),
    follows: tree.follows,
  };
}

function readTable(source: Source, names: EventsTree['table']): ShowCdcEvents['table'] {
  if (names === null) return undefined;
  const name = names.map(({ start, end }) => source.text.slice(start, end)).join('.');
  return { name, span: { start: names[0]!.start, end: names.at(-1)!.end } };
}

function readSince(
  source: Source,
  span: Span | null,
  options: LexerOptions,
): ShowCdcEvents['since'] {
  if (span === null) return undefined;
  const value = stringValue(source.text.slice(span.start, span.end), options);
  const lsn = parseLsn(value);
  if (lsn === undefined) {
    throw errors.invalidLsn(value, { position: source.positionOf(span.start) });
  }
  return { lsn, span };
}

function readLimit(source: Source, tree: LimitTree | null): bigint | undefined {
  if (tree === null) return limitByDefault;
  if (tree.kind === 'all') return undefined;
  const at = { position: source.positionOf(tree.start) };
  const digits = source.text.slice(tree.digits.start, tree.digits.end);
  const limit = BigInt(digits);
  if (limit > int8Max) throw errors.limitOutOfRange(digits, at);
  if (tree.isNegative && limit > 0n) throw errors.limitNegative(at);
  return limit;
}
