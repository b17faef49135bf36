import type { ErrorRewrite, Lowered, Rewrite, RewriteInput } from '../contracts/rewriter.ts';
import type { PgError } from '../core/errors/pg-error.ts';
import { quoteLiteral } from '../core/quoting.ts';
import { extendedTokens, isBodyWithWindow } from '../sql/detect.ts';
import type { Token } from '../sql/lexer.ts';
import { type Node, parseStatements, tagOf } from '../sql/parse-tree.ts';
import { Source, type TokenRange } from '../sql/source.ts';
import { checkComplexity, statementRanges } from '../sql/statement-ranges.ts';
import { plainCalls } from '../sql/table-window.ts';
import { isLoweredExplain, type LoweredExplain, readLoweredExplain } from './explain.ts';
import { declaredParameters, type Probed, probedQuery } from './probe-range.ts';
import { firstFreeParameter, Questions } from './questions.ts';
import { bodyRewrites, refusalRewrite, refusalText, runTimeRewrites } from './refusal.ts';
import { apart, Edits, generated, positionsOf, textOf } from './splice.ts';
import { holdsWindow, type StatementContext, WindowedStatement } from './statement.ts';
import { Survey } from './survey.ts';
import { asRefusal } from './unexpected.ts';

/**
 * Turns one text into what its backend gets (contracts/rewriter.ts). Pure but for the WASM parser
 * it loads on first use, which is why it is called inside a worker that can be killed.
 */
export async function rewrite(input: RewriteInput): Promise<Rewrite> {
  const tokens = extendedTokens(input.text, input);
  if (tokens === null) return { kind: 'pass' };
  const plain = plainCalls(parserText(input, tokens), tokens);
  const source = new Source(input.text, plain.tokens, plain.text);
  const ranges = statementRanges(source);
  if (input.protocol === 'extended' && ranges.length > 1) return { kind: 'pass' };
  const tooComplex = checkComplexity(source, ranges);
  if (tooComplex !== undefined) return refuse(input, source, tooComplex.range, tooComplex.error);
  const statements = await parseStatements(plain.text);
  if (statements === null || statements.length !== ranges.length) return { kind: 'pass' };
  const rewriting = new QueryRewriting(input, source, plain);
  for (const [index, statement] of statements.entries()) {
    const probe = rewriting.add(statement.node, ranges[index]!, index);
    if (probe !== undefined) return probe;
  }
  return rewriting.finish();
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

function refuse(input: RewriteInput, source: Source, range: TokenRange, error: PgError): Lowered {
  const edits = new Edits();
  replaceStatement(edits, source, range, refusalText(error));
  const pieces = apart(input.text, edits.render(0, input.text.length));
  return {
    kind: 'send',
    text: textOf(input.text, pieces),
    positions: positionsOf(input.text, pieces),
    errors: [refusalRewrite(error)],
    tags: [],
    loweredStatements: 0,
  };
}

function replaceStatement(edits: Edits, source: Source, range: TokenRange, text: string): void {
  const start = source.startOf(range);
  edits.replace(start, source.endOf(range), [generated(text, start)]);
}

/** The statements of one Query, rewritten one after the other into one text. */
class QueryRewriting {
  readonly #input: RewriteInput;
  readonly #source: Source;
  readonly #tableForms: StatementContext['tableForms'];
  readonly #edits = new Edits();
  readonly #errors: ErrorRewrite[] = [];
  readonly #tags: { statement: number; tag: string }[] = [];
  #lowered = 0;

  constructor(input: RewriteInput, source: Source, tableForms: StatementContext['tableForms']) {
    this.#input = input;
    this.#source = source;
    this.#tableForms = tableForms;
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
      const refusal = asRefusal(error);
      replaceStatement(this.#edits, this.#source, range, refusalText(refusal));
      this.#errors.push(refusalRewrite(refusal));
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
    const { text } = this.#input;
    const lowered = textOf(text, apart(text, edits.render(inner, end)));
    const lines = lowered.split('\n').map(quoteLiteral);
    const list = lines.length === 1 ? lines[0] : `unnest(ARRAY[${lines.join(', ')}])`;
    replaceStatement(this.#edits, this.#source, range, `SELECT ${list}::text AS "QUERY PLAN"`);
    this.#tags.push({ statement: index, tag: 'EXPLAIN' });
  }
}
