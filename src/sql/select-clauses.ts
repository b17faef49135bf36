import type { Source, TokenRange } from './source.ts';

/**
 * Where the clauses of one SELECT stand, each from its keyword on. The parse tree says what a
 * clause means but not where it ends, so the ends are found by the tokens.
 */
export type SelectClauses = {
  /** From SELECT to the last token of the last clause. */
  readonly whole: TokenRange;
  /** The target list without SELECT, ALL, DISTINCT. */
  readonly targets: TokenRange;
  /** The expressions of DISTINCT ON, without brackets. */
  readonly distinctOn: TokenRange | undefined;
  readonly into: TokenRange | undefined;
  readonly from: TokenRange | undefined;
  readonly where: TokenRange | undefined;
  readonly groupBy: TokenRange | undefined;
  readonly having: TokenRange | undefined;
  readonly window: TokenRange | undefined;
  readonly orderBy: TokenRange | undefined;
  readonly limit: TokenRange | undefined;
};

type ClauseName = Exclude<keyof SelectClauses, 'whole' | 'targets' | 'distinctOn'>;

/** Finds the SELECT keyword whose level holds the token at `index`; -1 when there is none. */
export function enclosingSelect(source: Source, index: number): number {
  let select = -1;
  for (let at = index - 1; at >= 0; at -= 1) {
    const open = source.partner(at);
    if (open >= 0 && open < at) at = open;
    // Of several at one level only the first is the keyword: SELECT may be a label without AS.
    else if (select >= 0 && startsLevel(source, at)) break;
    else if (source.isWord(at, 'select')) select = at;
  }
  return select;
}

/** What stands before a SELECT, or before the keywords it follows. */
function startsLevel(source: Source, at: number): boolean {
  const { kind, name } = source.tokens[at]!;
  if (kind === 'punctuation') return name === '(' || name === '[' || name === ';';
  const isBetween = ['union', 'intersect', 'except', 'create', 'atomic'].includes(name);
  return kind === 'word' && isBetween && !isName(source, at);
}

/** Reads the clauses of the SELECT whose keyword is at `select`. */
export function readSelectClauses(source: Source, select: number): SelectClauses {
  const head = readHead(source, select);
  const found = new Map<ClauseName, number>();
  const starts: number[] = [];
  let at = head.targetsFrom;
  for (; at < source.tokens.length; at += 1) {
    const close = source.partner(at);
    if (close > at) {
      at = close;
      continue;
    }
    if (endsSelect(source, at)) break;
    const clause = clauseAt(source, at);
    if (clause === undefined || found.has(clause)) continue;
    found.set(clause, at);
    starts.push(at);
  }
  const end = at;
  const rangeOf = (clause: ClauseName): TokenRange | undefined => {
    const from = found.get(clause);
    if (from === undefined) return undefined;
    return { from, to: starts.find((start) => start > from) ?? end };
  };
  return {
    whole: { from: select, to: end },
    targets: { from: head.targetsFrom, to: starts[0] ?? end },
    distinctOn: head.distinctOn,
    into: rangeOf('into'),
    from: rangeOf('from'),
    where: rangeOf('where'),
    groupBy: rangeOf('groupBy'),
    having: rangeOf('having'),
    window: rangeOf('window'),
    orderBy: rangeOf('orderBy'),
    limit: rangeOf('limit'),
  };
}

function readHead(
  source: Source,
  select: number,
): { targetsFrom: number; distinctOn: TokenRange | undefined } {
  const next = select + 1;
  if (source.isWord(next, 'all')) return { targetsFrom: next + 1, distinctOn: undefined };
  if (!source.isWord(next, 'distinct')) return { targetsFrom: next, distinctOn: undefined };
  if (!source.isWord(next + 1, 'on')) return { targetsFrom: next + 1, distinctOn: undefined };
  const close = source.partner(next + 2);
  return { targetsFrom: close + 1, distinctOn: { from: next + 3, to: close } };
}

function clauseAt(source: Source, at: number): ClauseName | undefined {
  if (source.tokens[at]?.kind !== 'word' || isName(source, at)) return undefined;
  switch (source.name(at)) {
    case 'into':
      return 'into';
    case 'from':
      // IS [NOT] DISTINCT FROM is an operator.
      return isDistinctFrom(source, at) ? undefined : 'from';
    case 'where':
      return 'where';
    case 'group':
      return source.isWord(at + 1, 'by') ? 'groupBy' : undefined;
    case 'having':
      return 'having';
    case 'window':
      return 'window';
    case 'order':
      return source.isWord(at + 1, 'by') ? 'orderBy' : undefined;
    case 'limit':
    case 'offset':
    case 'fetch':
    case 'for':
      return 'limit';
    default:
      return undefined;
  }
}

/** A keyword after a dot is a column name, after AS an alias. */
function isName(source: Source, at: number): boolean {
  return source.name(at - 1) === '.' || source.isWord(at - 1, 'as');
}

function isDistinctFrom(source: Source, at: number): boolean {
  if (!source.isWord(at - 1, 'distinct')) return false;
  return source.isWord(at - 2, 'is') || source.isWord(at - 2, 'not');
}

/** ON CONFLICT of an INSERT; in a join the condition may begin with a column of that name. */
function isOnConflict(source: Source, at: number): boolean {
  if (!source.isWord(at + 1, 'conflict')) return false;
  const next = at + 2;
  if (source.isWord(next, 'on')) return source.isWord(next + 1, 'constraint');
  const after = source.name(next) === '(' ? source.partner(next) + 1 : next;
  if (source.isWord(after, 'do')) return true;
  if (after === next || !source.isWord(after, 'where')) return false;
  // The predicate of the index comes before DO, which is reserved.
  for (let place = after; place < source.tokens.length; place += 1) {
    const close = source.partner(place);
    if (close > place) place = close;
    else if (source.name(place) === ';' || close >= 0) return false;
    else if (source.isWord(place, 'do') && !isName(source, place)) return true;
  }
  return false;
}

function endsSelect(source: Source, at: number): boolean {
  const token = source.tokens[at]!;
  if (token.kind === 'punctuation')
    return token.name === ')' || token.name === ';' || token.name === ']';
  if (token.kind !== 'word' || isName(source, at)) return false;
  switch (token.name) {
    case 'union':
    case 'intersect':
    case 'except':
    case 'returning':
      return true;
    case 'on':
      return isOnConflict(source, at);
    case 'with':
      // CREATE TABLE AS ... WITH [NO] DATA, CREATE VIEW ... WITH CHECK OPTION
      return ['data', 'no', 'check', 'local', 'cascaded'].includes(source.name(at + 1));
    default:
      return false;
  }
}
