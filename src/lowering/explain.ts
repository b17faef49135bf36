import * as errors from '../core/errors/explain.ts';
import type { At } from '../core/errors/windows.ts';
import { type Body, bodyOf, listOf, type Node } from '../sql/parse-tree.ts';
import type { Source, TokenRange } from '../sql/source.ts';
import { Edits, generated, type Piece } from './splice.ts';

/** An EXPLAIN with the option LOWERED. */
export type LoweredExplain = {
  /** False for `LOWERED false`: an ordinary EXPLAIN, to be sent without the option. */
  readonly isAsked: boolean;
  /** Index of the first token of the query that is explained. */
  readonly queryFrom: number;
  /** Takes the option out. */
  readonly without: Edits;
};

type Brackets = { readonly open: number; readonly close: number };

/** Whether a statement is an EXPLAIN with the option LOWERED, whatever its value. */
export function isLoweredExplain(node: Node): boolean {
  return optionsOf(node).some(({ defname }) => defname === 'lowered');
}

function optionsOf(node: Node): readonly Body[] {
  const explain = bodyOf(node, 'ExplainStmt');
  const options = explain === undefined ? [] : listOf(explain, 'options');
  return options.map((option) => bodyOf(option, 'DefElem')!);
}

/** Undefined for any other statement. Throws the PgError of a wrong value or combination. */
export function readLoweredExplain(
  source: Source,
  node: Node,
  range: TokenRange,
): LoweredExplain | undefined {
  const elements = optionsOf(node);
  const lowered = elements.filter(({ defname }) => defname === 'lowered');
  if (lowered.length === 0) return undefined;
  const open = range.from + 1;
  const close = source.partner(open);
  const ranges = source.splitCommas({ from: open + 1, to: close });
  const at = {
    position: source.positionOf(source.startOf(ranges[elements.indexOf(lowered[0]!)]!)),
  };
  // Of an option that is given twice Postgres takes the last.
  const isAsked = lowered.map((element) => truth(element, at)).at(-1)!;
  const others = elements.filter(({ defname }) => defname !== 'lowered');
  if (isAsked && others.length > 0) {
    throw errors.loweredWithOther(String(others[0]!['defname']).toUpperCase(), at);
  }
  const kept = ranges.filter((_, index) => elements[index]!['defname'] !== 'lowered');
  return { isAsked, queryFrom: close + 1, without: withOptions(source, { open, close }, kept) };
}

function withOptions(source: Source, brackets: Brackets, options: readonly TokenRange[]): Edits {
  const edits = new Edits();
  const [start, end] = [source.tokens[brackets.open]!.start, source.tokens[brackets.close]!.end];
  const list = options.flatMap((option, index): Piece[] => [
    generated(index === 0 ? '(' : ', ', start),
    { kind: 'copied', start: source.startOf(option), end: source.endOf(option) },
  ]);
  edits.replace(start, end, list.length === 0 ? [] : [...list, generated(')', start)]);
  return edits;
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ...(['true', 'on', '1'] as const).map((word) => [word, true] as const),
  ...(['false', 'off', '0'] as const).map((word) => [word, false] as const),
]);

/** As defGetBoolean reads the value of an option. */
function truth(element: Body, at: At): boolean {
  const value = element['arg'];
  if (value === undefined) return true;
  const integer = bodyOf(value, 'Integer');
  const text = integer === undefined ? bodyOf(value, 'String')?.['sval'] : (integer['ival'] ?? 0);
  const known = truths.get(String(text).toLowerCase());
  if (known === undefined) throw errors.loweredNotBoolean(at);
  return known;
}
