import * as errors from '../../core/errors/cdc.ts';
import type { PgError } from '../../core/errors/pg-error.ts';
import { claimedNestingMax, claimedTextUnitsMax } from '../../core/limits.ts';
import type { LexerOptions } from '../lexer.ts';
import type { Source, TokenRange } from '../source.ts';
import { type CaptureTree, readAlterCdcCapture } from './alter-cdc-capture.ts';
import { type AlterConnectorTree, readAlterCdcConnector } from './alter-cdc-connector.ts';
import { type CreateConnectorTree, readCreateCdcConnector } from './create-cdc-connector.ts';
import { parseMasked } from './grammar.ts';
import { maskedText } from './masked-text.ts';
import { nameAt } from './names.ts';
import { type EventsTree, eventClauses, readShowCdcEvents } from './show-cdc-events.ts';
import type { CdcStatement, CdcStem, CdcView, Span } from './statement.ts';
import type { CdcStart } from './statement-start.ts';

/** What a statement says. Throws the PgError of a statement that is wrong. */
export async function parseCdc(
  source: Source,
  start: CdcStart,
  options: LexerOptions,
): Promise<CdcStatement> {
  if (start.kind === 'misfit') throw syntaxError(source, start.range, start.at, start.expected);
  const { stem, range } = start;
  checkSize(source, range);
  const offset = source.startOf(range);
  const masked = maskedText(source, range);
  const parsed = await parseMasked(stem, masked, offset);
  if ('misfit' in parsed) {
    const { at, expected } = parsed.misfit;
    const token = at >= masked.length ? range.to : source.tokenAt(offset + at);
    throw syntaxError(source, range, token, expected);
  }
  return readTree(stem, parsed.tree, { source, options });
}

function readTree(
  stem: CdcStem,
  tree: unknown,
  { source, options }: { readonly source: Source; readonly options: LexerOptions },
): CdcStatement {
  switch (stem) {
    case 'show-cdc-events':
      return readShowCdcEvents(source, tree as EventsTree, options);
    case 'show-cdc-status':
      return { stem, ...(tree as { readonly view: CdcView }) };
    case 'alter-cdc-capture':
      return { stem, ...readAlterCdcCapture(source, tree as CaptureTree, options) };
    case 'create-cdc-connector':
      return { stem, ...readCreateCdcConnector(source, tree as CreateConnectorTree, options) };
    case 'alter-cdc-connector':
      return { stem, ...readAlterCdcConnector(source, tree as AlterConnectorTree, options) };
    case 'drop-cdc-connector': {
      const { isQuiet, name } = tree as { readonly isQuiet: boolean; readonly name: Span };
      return { stem, isQuiet, name: nameAt(source, name) };
    }
    case 'show-cdc-connectors': {
      const { name } = tree as { readonly name: Span | null };
      return { stem, name: name === null ? undefined : nameAt(source, name) };
    }
  }
}

/** The parser goes down a level with each bracket, and looks at each character some ten times. */
function checkSize(source: Source, range: TokenRange): void {
  const units = source.endOf(range) - source.startOf(range);
  if (units > claimedTextUnitsMax) {
    throw errors.cdcTooComplex(
      `A statement on change data capture may be ${claimedTextUnitsMax} characters long; this one has ${units}.`,
    );
  }
  let depth = 0;
  for (let at = range.from; at < range.to; at += 1) {
    const name = source.name(at);
    if (name === '(' || name === '[') depth += 1;
    else if (name === ')' || name === ']') depth -= 1;
    if (depth > claimedNestingMax) {
      throw errors.cdcTooComplex(
        `A statement on change data capture may nest ${claimedNestingMax} levels of brackets.`,
      );
    }
  }
}

/** Worded and placed as Postgres's own parser does, at a token or at the end of the text. */
function syntaxError(
  source: Source,
  range: TokenRange,
  at: number,
  expected: readonly string[],
): PgError {
  const token = source.tokens[at];
  if (token === undefined) {
    const position = source.positionOf(source.text.length);
    return errors.cdcSyntaxError(undefined, expected, { position });
  }
  const position = source.positionOf(token.start);
  if (token.kind === 'parameter' && at < range.to) {
    return errors.cdcParameter(token.name, { position });
  }
  const isClause = token.kind === 'word' && eventClauses.includes(token.name.toUpperCase());
  const isMisplaced = isClause && expected.some((name) => eventClauses.includes(name));
  const written = source.text.slice(token.start, token.end);
  return errors.cdcSyntaxError(written, expected, {
    position,
    ...(isMisplaced ? { order: eventClauses } : {}),
  });
}
