import * as errors from '../core/errors/windows.ts';
import { type IntervalValue, readIntervalLiteral } from './interval-literal.ts';
import { type Body, bodyOf, listOf, locationOf, type Node, namesOf, walk } from './parse-tree.ts';
import type { Source, TokenRange } from './source.ts';

export type WindowKind = 'tumble' | 'hop' | 'session';
export type WindowEdge = 'start' | 'end';

/** One argument of a window call: its node and its tokens, without a `name =>`. */
export type WindowArgument = { readonly node: Node; readonly range: TokenRange };

/** A size, slide or gap. `value` is there when the text says how long it is. */
export type WindowLength = WindowArgument & { readonly value: IntervalValue | undefined };

/** A call of TUMBLE, HOP, SESSION or one of their _START and _END forms. */
export type WindowCall = {
  readonly kind: WindowKind;
  readonly edge: WindowEdge;
  /** The function name as folded: also the name of its output column. */
  readonly name: string;
  readonly body: Body;
  /** From the name to the closing bracket. */
  readonly range: TokenRange;
  readonly position: number;
  readonly time: WindowArgument;
  /** The size of TUMBLE and HOP, the gap of SESSION. */
  readonly size: WindowLength;
  /** HOP only. */
  readonly slide: WindowLength | undefined;
  readonly origin: WindowArgument | undefined;
  readonly zone: WindowArgument | undefined;
};

const windowName = /^(tumble|hop|session)(?:_(start|end))?$/;

/** Whether this unquoted function name is one of ours. */
export function isWindowName(name: string): boolean {
  return windowName.test(name);
}

/**
 * Whether a FuncCall is ours: one name, unquoted and unqualified. Quoted, `"tumble"(...)` reaches
 * the user's own function, as does `public.tumble(...)`.
 */
export function isWindowCall(source: Source, body: Body): boolean {
  const names = namesOf(listOf(body, 'funcname'));
  if (names.length !== 1 || !isWindowName(names[0]!)) return false;
  const token = source.tokens[source.tokenOfByte(locationOf(body))];
  return token?.kind === 'word' && token.name === names[0];
}

/** OIDs a client may declare for a parameter that is an origin or a zone. */
const originTypeOids = [1082, 1114, 1184];
const zoneTypeOids = [25, 1043, 19];

/**
 * Reads the arguments of a window call. Throws the PgError a client gets for a wrong one.
 *
 * @param skipped how many arguments stand before the time: the table of the table-valued form
 */
export function readWindowCall(
  source: Source,
  body: Body,
  parameterTypes: readonly number[],
  skipped = 0,
): WindowCall {
  const nameAt = source.tokenOfByte(locationOf(body));
  const name = source.name(nameAt);
  const [, kind, edge = 'start'] = windowName.exec(name) as unknown as [
    string,
    WindowKind,
    WindowEdge?,
  ];
  const range = { from: nameAt, to: source.partner(nameAt + 1) + 1 };
  const at = { position: source.positionOf(source.startOf(range)) };
  refuseDecorations(body, name, at);
  const all = readArguments(source, body, range);
  refuseMisplaced(source, all);
  const given = all.slice(skipped);
  const positional = given.filter((argument) => argument.name === undefined);
  const expected = kind === 'hop' ? 3 : 2;
  const countMax = kind === 'session' ? expected : expected + 1;
  if (positional.length < expected || positional.length > countMax) {
    const form = skipped === 0 ? kind : `${kind} of a table`;
    throw errors.windowArgumentCount(name, form, given.length + skipped, at);
  }
  let { origin, zone } = readNamed(source, given, name, kind);
  const last = positional[expected];
  if (last !== undefined) {
    const meaning = meaningOfLast(last.node, parameterTypes);
    if (meaning === undefined)
      throw errors.windowThirdArgumentAmbiguous(name, positionAt(source, last));
    const named = given.find(({ name: own }) => own === namesOfMeaning[meaning]);
    if (named !== undefined) throw twice(source, named);
    if (meaning === 'origin') origin = last;
    else zone = last;
  }
  const slide =
    kind === 'hop' ? readLength(source, positional[1]!, name, 'slide', kind) : undefined;
  const sizeName = kind === 'session' ? 'gap' : 'size';
  const size = readLength(source, positional[expected - 1]!, name, sizeName, kind);
  const call = { kind, edge, name, body, range, position: at.position };
  return { ...call, time: positional[0]!, size, slide, origin, zone };
}

type NamedArgument = WindowArgument & { readonly name: string | undefined };

function readArguments(source: Source, body: Body, range: TokenRange): readonly NamedArgument[] {
  const nodes = listOf(body, 'args');
  // ALL is what a call without DISTINCT is, and no part of the first argument.
  const first = source.isWord(range.from + 2, 'all') ? range.from + 3 : range.from + 2;
  const ranges = source.splitCommas({ from: first, to: range.to - 1 });
  return nodes.map((node, index) => {
    const whole = ranges[index]!;
    const named = bodyOf(node, 'NamedArgExpr');
    if (named === undefined) return { node, range: whole, name: undefined };
    // name => value, or name := value, which the scanner cuts the same way
    return {
      node: named['arg'] as Node,
      range: { from: whole.from + 2, to: whole.to },
      name: named['name'] as string,
    };
  });
}

/** As Postgres does for any function. */
function refuseMisplaced(source: Source, given: readonly NamedArgument[]): void {
  const firstNamed = given.findIndex(({ name }) => name !== undefined);
  if (firstNamed < 0) return;
  const names = new Set<string>();
  for (const argument of given.slice(firstNamed)) {
    if (argument.name === undefined) {
      throw errors.windowPositionalAfterNamed(positionAt(source, argument));
    }
    if (names.has(argument.name)) throw twice(source, argument);
    names.add(argument.name);
  }
}

const namesOfMeaning = { origin: 'origin', zone: 'timezone' } as const;

function twice(source: Source, { name, range }: NamedArgument): Error {
  const at = { position: source.positionOf(source.tokens[range.from - 2]!.start) };
  return errors.windowArgumentTwice(name ?? '', at);
}

function readNamed(
  source: Source,
  given: readonly NamedArgument[],
  name: string,
  kind: WindowKind,
): { origin: WindowArgument | undefined; zone: WindowArgument | undefined } {
  let origin: WindowArgument | undefined;
  let zone: WindowArgument | undefined;
  for (const argument of given) {
    if (argument.name === undefined) continue;
    if (argument.name === 'origin' && kind !== 'session') origin = argument;
    else if (argument.name === 'timezone' && kind !== 'session') zone = argument;
    else {
      const at = source.positionOf(source.tokens[argument.range.from - 2]!.start);
      throw errors.windowArgumentName(name, kind, argument.name, { position: at });
    }
  }
  return { origin, zone };
}

function positionAt(source: Source, argument: WindowArgument): errors.At {
  return { position: source.positionOf(source.startOf(argument.range)) };
}

/** What the argument after the sizes is: decided by how it is written, never by guessing. */
function meaningOfLast(
  node: Node,
  parameterTypes: readonly number[],
): 'origin' | 'zone' | undefined {
  const text = stringOf(node);
  if (text !== undefined) return /^\s*(\d|epoch)/i.test(text) ? 'origin' : 'zone';
  const parameter = bodyOf(node, 'ParamRef');
  if (parameter !== undefined) {
    const oid = parameterTypes[((parameter['number'] as number | undefined) ?? 0) - 1] ?? 0;
    if (originTypeOids.includes(oid)) return 'origin';
    return zoneTypeOids.includes(oid) ? 'zone' : undefined;
  }
  switch (castTypeOf(node)) {
    case 'timestamp':
    case 'timestamptz':
    case 'date':
      return 'origin';
    case 'text':
    case 'varchar':
      return 'zone';
    default:
      return undefined;
  }
}

/** The unqualified type name of a cast. */
function castTypeOf(node: Node): string | undefined {
  const cast = bodyOf(node, 'TypeCast');
  if (cast === undefined) return undefined;
  return namesOf(listOf(cast['typeName'] as Body, 'names')).at(-1);
}

/** The value of a string literal without a type. */
function stringOf(node: Node | undefined): string | undefined {
  const constant = bodyOf(node, 'A_Const');
  const text = constant?.['sval'] as Body | undefined;
  if (text === undefined) return undefined;
  return (text['sval'] as string | undefined) ?? '';
}

/** INTERVAL_MASK of the one-field forms such as INTERVAL '1' MINUTE (utils/timestamp.h). */
const fieldOfMask: ReadonlyMap<number, string> = new Map([
  [1 << 1, 'month'],
  [1 << 2, 'year'],
  [1 << 3, 'day'],
  [1 << 10, 'hour'],
  [1 << 11, 'minute'],
  [1 << 12, 'second'],
]);

function readLength(
  source: Source,
  argument: WindowArgument,
  name: string,
  argumentName: string,
  kind: WindowKind,
): WindowLength {
  const constant = bodyOf(argument.node, 'A_Const');
  if (constant !== undefined && constant['sval'] === undefined) {
    throw errors.windowSizeType(name, argumentName, kind, positionAt(source, argument));
  }
  return { ...argument, value: intervalOf(argument.node) };
}

function intervalOf(node: Node): IntervalValue | undefined {
  const text = stringOf(node);
  if (text !== undefined) return readIntervalLiteral(text);
  if (castTypeOf(node) !== 'interval') return undefined;
  const cast = bodyOf(node, 'TypeCast')!;
  const literal = stringOf(cast['arg'] as Node);
  if (literal === undefined) return undefined;
  const modifiers = listOf(cast['typeName'] as Body, 'typmods');
  if (modifiers.length === 0) return readIntervalLiteral(literal);
  const mask = (bodyOf(modifiers[0], 'A_Const')?.['ival'] as Body | undefined)?.['ival'];
  const field = fieldOfMask.get(mask as number);
  if (modifiers.length > 1 || field === undefined || !/^\s*-?\d+\s*$/.test(literal))
    return undefined;
  return readIntervalLiteral(`${literal.trim()} ${field}`);
}

function refuseDecorations(body: Body, name: string, at: errors.At): void {
  const refuse = (what: string): never => {
    throw errors.windowDecoration(
      `${what} specified, but ${name} is not an aggregate function`,
      at,
    );
  };
  if (body['agg_star'] === true) refuse(`${name}(*)`);
  if (body['agg_distinct'] === true) refuse('DISTINCT');
  if (body['func_variadic'] === true) {
    const message = `VARIADIC specified, but ${name} is not a variadic function`;
    throw errors.windowDecoration(message, at);
  }
  if (body['agg_within_group'] === true) refuse('WITHIN GROUP');
  if (body['agg_order'] !== undefined) refuse('ORDER BY');
  if (body['agg_filter'] !== undefined) refuse('FILTER');
  if (body['over'] !== undefined) {
    const message = `OVER specified, but ${name} is not a window function nor an aggregate function`;
    throw errors.windowDecoration(message, at);
  }
}

/** The first of its arguments besides the time that reads a column, with its name. */
export function rowDependentArgument(
  call: WindowCall,
): { readonly name: string; readonly argument: WindowArgument } | undefined {
  const named: readonly (readonly [string, WindowArgument | undefined])[] = [
    ['slide', call.slide],
    [call.kind === 'session' ? 'gap' : 'size', call.size],
    ['origin', call.origin],
    ['time zone', call.zone],
  ];
  for (const [name, argument] of named) {
    if (argument !== undefined && readsColumn(argument.node)) return { name, argument };
  }
  return undefined;
}

function readsColumn(node: Node): boolean {
  let found = false;
  walk(node, (tag) => {
    if (tag === 'ColumnRef' || tag === 'SubLink') found = true;
    return undefined;
  });
  return found;
}

const setReturning = new Set([
  ...['unnest', 'generate_series', 'string_to_table', 'regexp_split_to_table', 'regexp_matches'],
  ...['json_array_elements_text', 'jsonb_array_elements_text', 'jsonb_path_query'],
  ...['json_array_elements', 'jsonb_array_elements'],
]);

/** Whether a row has several times, by a function of Postgres's own that returns a set. */
export function hasSeveralTimes(call: WindowCall): boolean {
  let found = false;
  walk(call.time.node, (tag, body) => {
    if (tag === 'FuncCall') {
      const name = namesOf(listOf(body, 'funcname')).at(-1) ?? '';
      if (setReturning.has(name)) found = true;
    }
    return tag === 'SubLink' ? false : undefined;
  });
  return found;
}
