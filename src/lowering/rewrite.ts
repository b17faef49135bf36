import type {
  ErrorRewrite,
  EventsRead,
  Lowered,
  Rewrite,
  RewriteInput,
} from '../contracts/rewriter.ts';
import { cdcLoweringFailed } from '../core/errors/cdc.ts';
import type { PgError } from '../core/errors/pg-error.ts';
import { quoteLiteral } from '../core/quoting.ts';
import { extendedText, isBodyWithWindow, isExtended } from '../sql/detect.ts';
import type { Token } from '../sql/lexer.ts';
import { type Node, parseStatements, tagOf } from '../sql/parse-tree.ts';
import { Source, type TokenRange } from '../sql/source.ts';
import { checkComplexity, statementRanges } from '../sql/statement-ranges.ts';
import { type PlainCalls, plainCalls } from '../sql/table-window.ts';
import { type CdcRange, cdcRange, hideCdc } from './cdc/cdc-ranges.ts';
import { lowerCdc } from './cdc/lower.ts';
import type { LoweredCdc } from './cdc/lowered-statement.ts';
import type { Place } from './cdc/show-cdc-events.ts';
import { isLoweredExplain, type LoweredExplain, readLoweredExplain } from './explain.ts';
import { declaredParameters, type Probed, probedQuery } from './probe-range.ts';
import { firstFreeParameter, Questions } from './questions.ts';
import {
  bodyRewrites,
  refusalRewrite,
  refusalStart,
  refusalText,
  runTimeRewrites,
} from './refusal.ts';
import { apart, Edits, generated, type Pieces, positionsOf, textOf } from './splice.ts';
import { holdsWindow, type StatementContext, WindowedStatement } from './statement.ts';
import { Survey } from './survey.ts';
import { asRefusal } from './unexpected.ts';

/**
 * Turns one text into what its backend gets (contracts/rewriter.ts). Pure but for the WASM parser
 * it loads on first use, which is why it is called inside a worker that can be killed.
 */
export async function rewrite(input: RewriteInput): Promise<Rewrite> {
  const found = extendedText(input.text, input);
  if (found === null) return { kind: 'pass' };
  const { tokens, failsAt } = found;
  if (failsAt !== undefined) return scannerFailure(input.text, failsAt);
  const plain = plainCalls(parserText(input, tokens), tokens);
  const query = readQuery(input, plain);
  const { ranges, cdc, source } = query;
  if (input.protocol === 'extended' && ranges.length > 1) return { kind: 'pass' };
  const tooComplex = query.isParsed
    ? checkComplexity(source, ranges.filter(isNot(cdc)))
    : undefined;
  const isReadable = query.isParsed && tooComplex === undefined;
  const nodes = isReadable ? await parseNodes(query) : [];
  // Postgres words what is wrong with the text; with a statement of ours in it, it could not.
  if (nodes === null && cdc.every((one) => one === undefined)) return { kind: 'pass' };
  const rewriting = new QueryRewriting(input, query, plain);
  for (const [index, range] of ranges.entries()) {
    const [ours, node] = [cdc[index], nodes?.[index]];
    if (ours !== undefined) await rewriting.addCdc(ours, node, index);
    else if (range === tooComplex?.range) rewriting.refuse(range, tooComplex.error);
    else if (node !== undefined) {
      const probe = rewriting.add(node, range, index);
      if (probe !== undefined) return probe;
    }
  }
  return rewriting.finish();
}

/**
 * Has Postgres say what its scanner cannot read: it comes there before its grammar fails. Numbers
 * with letters behind them are read by Postgres 14, whose grammar fails then.
 */
function scannerFailure(text: string, failsAt: number): Lowered {
  const pieces: Pieces = [
    generated(refusalStart, 0),
    { kind: 'copied', start: failsAt, end: text.length },
  ];
  return {
    kind: 'send',
    text: textOf(text, pieces),
    positions: positionsOf(text, pieces),
    errors: [],
    tags: [],
    loweredStatements: 0,
  };
}

/** The statements of a text, and what its parser is to see of it. */
type Query = {
  readonly source: Source;
  readonly ranges: readonly TokenRange[];
  /** For each range: what is on change data capture. */
  readonly cdc: readonly (CdcRange | undefined)[];
  /** Whether there is anything to find for Postgres's parser. */
  readonly isParsed: boolean;
  readonly parsed: string;
};

function readQuery(input: RewriteInput, plain: PlainCalls): Query {
  const source = new Source(input.text, plain.tokens, plain.text);
  const ranges = statementRanges(source);
  const cdc = ranges.map((range) => cdcRange(source, range));
  const isParsed = ranges.some((range, index) => {
    const ours = cdc[index];
    return ours === undefined ? holdsExtended(source, range) : ours.isExplained;
  });
  if (!isParsed || cdc.every((one) => one === undefined)) {
    return { source, ranges, cdc, isParsed, parsed: plain.text };
  }
  const parsed = hideCdc(plain.text, source, cdc);
  return { source: new Source(input.text, plain.tokens, parsed), ranges, cdc, isParsed, parsed };
}

function holdsExtended(source: Source, range: TokenRange): boolean {
  for (let at = range.from; at < range.to; at += 1) {
    if (isExtended(source.tokens, at)) return true;
  }
  return false;
}

function isNot(cdc: Query['cdc']): (range: TokenRange, index: number) => boolean {
  return (_, index) => cdc[index] === undefined;
}

/** Null when the statements cannot be told apart. */
async function parseNodes({ parsed, ranges }: Query): Promise<readonly Node[] | null> {
  const statements = await parseStatements(parsed);
  if (statements === null || statements.length !== ranges.length) return null;
  return statements.map(({ node }) => node);
}

/**
 * The parser always reads strings as standard_conforming_strings = on does. Where the session reads
 * them otherwise, what is in strings with a backslash is hidden from it: the structure is the same.
 */
function parserText(input: RewriteInput, tokens: readonly Token[]): string {
  if (input.standardConformingStrings) return input.text;
  let text = '';
  let at = 0;
  for (const { kind, name, start, end } of tokens) {
    if (kind !== 'string' || !name.startsWith("'") || !name.includes('\\')) continue;
    text += `${input.text.slice(at, start)}'${'-'.repeat(end - start - 2)}'`;
    at = end;
  }
  return text + input.text.slice(at);
}

function replaceStatement(edits: Edits, source: Source, range: TokenRange, text: string): void {
  const start = source.startOf(range);
  edits.replace(start, source.endOf(range), [generated(text, start)]);
}

/** The statements of one Query, rewritten one after the other into one text. */
class QueryRewriting {
  readonly #input: RewriteInput;
  readonly #source: Source;
  readonly #ranges: readonly TokenRange[];
  readonly #tableForms: StatementContext['tableForms'];
  readonly #edits = new Edits();
  readonly #errors: ErrorRewrite[] = [];
  readonly #tags: { statement: number; tag: string }[] = [];
  readonly #events: EventsRead[] = [];
  #isRefused = false;
  #lowered = 0;

  constructor(input: RewriteInput, query: Query, tableForms: StatementContext['tableForms']) {
    this.#input = input;
    this.#source = query.source;
    this.#ranges = query.ranges;
    this.#tableForms = tableForms;
  }

  /** Makes one statement fail. */
  refuse(range: TokenRange, error: PgError): void {
    this.#isRefused = true;
    replaceStatement(this.#edits, this.#source, range, refusalText(error));
    this.#errors.push(refusalRewrite(error));
  }

  /** Lowers a statement on change data capture; `node` is known only of an EXPLAIN. */
  async addCdc(cdc: CdcRange, node: Node | undefined, index: number): Promise<void> {
    const range = this.#ranges[index]!;
    // Postgres says what is wrong with the EXPLAIN.
    if (cdc.isExplained && (node === undefined || !isLoweredExplain(node))) return;
    if (this.#isRefused) {
      // It is not reached, but Postgres reads all of a Query before it begins.
      replaceStatement(this.#edits, this.#source, range, refusalStart);
      return;
    }
    const place: Place = {
      source: this.#source,
      anchor: this.#source.startOf(cdc.start.range),
      statement: cdc.isExplained ? 0 : index,
      ordinal: this.#events.length,
    };
    const ranges = cdc.isExplained ? [range] : this.#ranges;
    try {
      const explain = cdc.isExplained ? readLoweredExplain(this.#source, node!, range) : undefined;
      const lowered = await lowerCdc(cdc.start, place, { ranges, options: this.#input });
      if (explain !== undefined) this.#explainCdc(lowered, range, { index, explain });
      else this.#lowerCdc(lowered, range, index);
    } catch (error) {
      this.refuse(range, asRefusal(error, cdcLoweringFailed));
    }
  }

  /** Rewrites one statement, or answers the probe that has to come first. */
  add(node: Node, range: TokenRange, index: number): Rewrite | undefined {
    if (!isLoweredExplain(node) && !holdsWindow(this.#source, node)) return undefined;
    // Only the first statement is certain to see the tables a probe before the Query sees.
    const { discovery } = this.#input;
    const discovered = discovery.kind === 'done' && index === 0 ? discovery : undefined;
    const free = firstFreeParameter(this.#source, this.#input.parameterTypes.length);
    const questions = new Questions(free, discovered?.types);
    const survey = new Survey(discovered?.surveyed ?? null);
    const context: StatementContext = {
      source: this.#source,
      parameterTypes: this.#input.parameterTypes,
      questions,
      survey,
      tableForms: this.#tableForms,
    };
    try {
      const explain = readLoweredExplain(this.#source, node, range);
      const statement = new WindowedStatement(context, node);
      // EXPLAIN (LOWERED) is checked as if it were run, with windows or without.
      const isWanted = questions.count > 0 || explain?.isAsked === true;
      if (index === 0 && discovery.kind === 'possible' && isWanted) {
        const probed = probedQuery(this.#source, node, range, statement.outsideRanges);
        if (probed !== undefined) {
          const edits = statement.probe(declaredParameters(this.#source, node, probed));
          const asked = this.#maySurvey(node) ? survey.text : undefined;
          return this.#probe(edits, probed, { parameters: free - 1, survey: asked });
        }
      }
      this.#lower(statement, range, index, explain);
    } catch (error) {
      this.refuse(range, asRefusal(error));
    }
    return undefined;
  }

  finish(): Rewrite {
    if (this.#source.tokens.some(isBodyWithWindow)) this.#errors.push(...bodyRewrites);
    if (this.#lowered === 0 && this.#errors.length === 0) return { kind: 'pass' };
    const { text } = this.#input;
    const pieces = apart(text, this.#edits.render(0, text.length));
    return {
      kind: 'send',
      text: textOf(text, pieces),
      positions: positionsOf(text, pieces),
      errors: this.#errors,
      tags: this.#tags,
      loweredStatements: this.#lowered,
      ...(this.#events.length === 0 ? {} : { events: this.#events }),
    };
  }

  /** What is executed before a DECLARE in a pipeline lets it pass outside of a transaction block. */
  #maySurvey(node: Node): boolean {
    return this.#input.protocol === 'simple' || tagOf(node) !== 'DeclareCursorStmt';
  }

  #probe(
    edits: Edits,
    { ranges, before, after }: Probed,
    asked: { readonly parameters: number; readonly survey: string | undefined },
  ): Rewrite {
    const { text, parameterTypes } = this.#input;
    const parts = ranges.flatMap((range, index) => {
      const start = this.#source.startOf(range);
      const part = edits.render(start, this.#source.endOf(range));
      return index === 0 ? part : [generated(', ', start), ...part];
    });
    const pieces = apart(text, [...before, ...parts, ...after]);
    const padding = Array.from({ length: asked.parameters - parameterTypes.length }, () => 0);
    return {
      kind: 'probe',
      text: textOf(text, pieces),
      parameterTypes: [...parameterTypes, ...padding],
      positions: positionsOf(text, pieces),
      ...(asked.survey === undefined ? {} : { survey: asked.survey }),
    };
  }

  #lower(
    statement: WindowedStatement,
    range: TokenRange,
    index: number,
    explain: LoweredExplain | undefined,
  ): void {
    const edits = statement.lower(explain?.without);
    const start = this.#source.startOf(range);
    const end = this.#source.endOf(range);
    this.#lowered += 1;
    if (statement.hasRunTimeLengths) this.#errors.push(...runTimeRewrites);
    if (!explain?.isAsked) {
      this.#edits.replace(start, end, edits.render(start, end));
      return;
    }
    const inner = this.#source.tokens[explain.queryFrom]!.start;
    this.#show(edits.render(inner, end), range, index);
  }

  #lowerCdc(lowered: LoweredCdc, range: TokenRange, index: number): void {
    const { pieces, tag, errors, events } = lowered;
    this.#edits.replace(this.#source.startOf(range), this.#source.endOf(range), pieces);
    this.#lowered += 1;
    this.#tags.push({ statement: index, tag });
    this.#errors.push(...errors.filter((error) => !this.#errors.includes(error)));
    if (events !== undefined) this.#events.push(events);
  }

  #explainCdc(
    { pieces }: LoweredCdc,
    range: TokenRange,
    { index, explain }: { readonly index: number; readonly explain: LoweredExplain },
  ): void {
    this.#lowered += 1;
    if (explain.isAsked) {
      this.#show(pieces, range, index);
      return;
    }
    const [start, end] = [this.#source.startOf(range), this.#source.endOf(range)];
    this.#edits.replace(start, end, explain.without.render(start, end));
  }

  /** Shows lowered text instead of running it. */
  #show(pieces: Pieces, range: TokenRange, index: number): void {
    const { text } = this.#input;
    const lines = textOf(text, apart(text, pieces)).split('\n').map(quoteLiteral);
    const list = lines.length === 1 ? lines[0] : `unnest(ARRAY[${lines.join(', ')}])`;
    replaceStatement(this.#edits, this.#source, range, `SELECT ${list}::text AS "QUERY PLAN"`);
    this.#tags.push({ statement: index, tag: 'EXPLAIN' });
  }
}
