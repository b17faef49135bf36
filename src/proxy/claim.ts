import { performance } from 'node:perf_hooks';
import { serialize } from 'pg-protocol';
import type { Discovery, Lowered, Probe, Rewrite, RewriteInput } from '../contracts/rewriter.ts';
import { statementCanceled } from '../core/errors/connection.ts';
import { readName } from '../protocol/c-string.ts';
import { type TextCoding, textCoding } from '../protocol/client-encoding.ts';
import { clientMessage } from '../protocol/message-types.ts';
import {
  decodeParseTypes,
  locateParse,
  type ParseParts,
  replaceParseText,
} from '../protocol/parse-message.ts';
import { encodeQuery, locateQueryText } from '../protocol/query-message.ts';
import { extendedTokens, mayBeExtended } from '../sql/detect.ts';
import type { SurveyOutcome } from './pending-probe.ts';
import { positionTranslator } from './position-map.ts';
import { exchangeProbe, exchangeSurvey } from './probe-exchange.ts';
import { provoke } from './refusal.ts';
import type { SessionContext } from './session-context.ts';
import type { StatementContext } from './statement-context.ts';

/** A whole Query or Parse message whose text may be ours. */
export type Claim = {
  /** The message as the client sent it. */
  readonly bytes: Buffer;
  readonly text: Buffer;
  /** Of a Parse; a Query has none. */
  readonly parse: ParseParts | undefined;
};

type WholeMessage = {
  readonly type: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
};

/** Undefined when the message goes to the backend as it is: the fast path. */
export function findClaim(context: SessionContext, message: WholeMessage): Claim | undefined {
  // While the backend skips or takes copy data it does not read the text at all.
  if (context.queue.isSkipping || context.queue.isCopyOpen) return undefined;
  const { type, start, end } = message;
  const parse = type === clientMessage.parse ? locateParse(message.bytes, start, end) : undefined;
  const where =
    type === clientMessage.parse
      ? parse && { from: parse.textFrom, to: parse.textTo }
      : locateQueryText(message.bytes, start, end);
  if (where === undefined) return undefined;
  // The words are ASCII, and so is what a word boundary means: latin1 finds them in any encoding.
  const text = message.bytes.toString('latin1', where.from, where.to);
  if (!mayBeExtended(text)) return undefined;
  // Most hits are SET SESSION and words in comments: they need no worker and wait for nothing.
  if (context.isStarted && extendedTokens(text, context) === null) return undefined;
  return {
    bytes: message.bytes.subarray(start, end),
    text: message.bytes.subarray(where.from, where.to),
    parse: parse && {
      nameFrom: parse.nameFrom - start,
      nameTo: parse.nameTo - start,
      textFrom: parse.textFrom - start,
      textTo: parse.textTo - start,
    },
  };
}

/**
 * Has the text rewritten and sends what it became. The caller holds the client's later messages
 * until this resolves. Never rejects: if something goes wrong the client's own bytes are sent.
 */
export async function claimStatement(context: SessionContext, claim: Claim): Promise<void> {
  const claimedAt = performance.now();
  const { logger, metrics } = context.services;
  try {
    await settle(context);
    if (claim.parse === undefined) await drainQueue(context);
    await answer(context, claim);
  } catch (error) {
    logger.error('a claimed statement could not be rewritten', { error });
    forward(context, claim);
  }
  metrics.statementClaimed((performance.now() - claimedAt) / 1000);
}

/** The session's parameters are known once it has started. */
async function settle(context: SessionContext): Promise<void> {
  while (!context.isStarted && !context.isOpaque) await context.serverProgress();
}

/** Invariant 10: until then neither the transaction status nor the response to a probe is sure. */
async function drainQueue(context: SessionContext): Promise<void> {
  const { queue, wires } = context;
  if (queue.isEmpty) return;
  wires.toServer(serialize.flush());
  while (!queue.isEmpty && !queue.isCopyOpen && !context.isOpaque) await context.serverProgress();
}

async function answer(context: SessionContext, claim: Claim): Promise<void> {
  const { queue, services, wires } = context;
  const coding = textCoding(context.clientEncoding ?? '', claim.text);
  const text = coding?.decode(claim.text);
  if (coding === undefined || text === undefined || isIgnored(context)) {
    forward(context, claim);
    return;
  }
  const isSimple = claim.parse === undefined;
  const input: RewriteInput = {
    text,
    protocol: isSimple ? 'simple' : 'extended',
    standardConformingStrings: context.standardConformingStrings,
    parameterTypes: claim.parse === undefined ? [] : decodeParseTypes(claim.bytes, claim.parse),
    discovery: { kind: isSimple && queue.status === 'E' ? 'impossible' : 'possible' },
  };
  let rewrite = await services.rewriter.rewrite(input);
  if (rewrite.kind === 'probe' && !wires.isClosing && !isIgnored(context)) {
    const surveyed = await survey(context, coding, rewrite);
    if (surveyed.error !== undefined) {
      const given = {
        ...statementContext({ coding, clientText: text }, refused),
        given: surveyed.error,
      };
      send(context, claim, { sentText: coding.encode(refused.text), statement: given });
      return;
    }
    const asked = { text: rewrite.text, positions: rewrite.positions, errors: [], tags: [] };
    const statement = statementContext({ coding, clientText: text }, asked);
    const outcome = await exchangeProbe(context, { coding, probe: rewrite, statement });
    if (outcome.kind === 'failed') {
      if (isSimple) sendSync(context);
      return;
    }
    rewrite =
      outcome.kind === 'dropped'
        ? { kind: 'pass' }
        : await discovered(context, input, { ...outcome, surveyed: surveyed.value });
  }
  if (rewrite.kind !== 'send' || isIgnored(context)) {
    forward(context, claim);
    return;
  }
  if (rewrite.loweredStatements > 0) services.metrics.statementsLowered(rewrite.loweredStatements);
  const statement = statementContext({ coding, clientText: text }, rewrite);
  send(context, claim, { sentText: coding.encode(rewrite.text), statement });
}

/** What fails in the backend where the client's statement would have. */
const refused: Lowered = provoke(statementCanceled());

/** SQLSTATEs that are about the client's statement and not about what was asked. */
const interruptions: ReadonlySet<string> = new Set(['57014', '55P03']);

/** Without an error unless it is the client's: an interruption, or one that ends its transaction. */
async function survey(
  context: SessionContext,
  coding: TextCoding,
  probe: Probe,
): Promise<SurveyOutcome> {
  if (probe.survey === undefined) return { value: null, error: undefined };
  const isInBlock = context.queue.status === 'T';
  const { value, error } = await exchangeSurvey(context, { coding, survey: probe.survey });
  const code = error?.get('C')?.toString('latin1') ?? '';
  return { value, error: isInBlock || interruptions.has(code) ? error : undefined };
}

function isIgnored(context: SessionContext): boolean {
  return context.queue.isSkipping || context.queue.isCopyOpen || context.isOpaque;
}

async function discovered(
  context: SessionContext,
  input: RewriteInput,
  discovery: Discovery,
): Promise<Rewrite> {
  const { rewriter, logger } = context.services;
  const rewrite = await rewriter.rewrite({ ...input, discovery });
  if (rewrite.kind !== 'probe') return rewrite;
  logger.error('the rewriter asked for types twice');
  return { kind: 'pass' };
}

/** Ends a simple statement whose probe failed: its ReadyForQuery is the client's. */
function sendSync({ queue, wires }: SessionContext): void {
  queue.sent('sync');
  wires.toServer(serialize.sync());
}

function forward({ queue, statements, wires }: SessionContext, claim: Claim): void {
  if (wires.isClosing) return;
  if (claim.parse === undefined) queue.sent('query');
  else if (!statements.isTracking) queue.sent('parse');
  else queue.sent('parse', { kind: 'parse', name: nameOf(claim, claim.parse) });
  wires.toServer(claim.bytes);
}

function send(
  { queue, statements, wires }: SessionContext,
  claim: Claim,
  { sentText, statement }: { readonly sentText: Buffer; readonly statement: StatementContext },
): void {
  if (wires.isClosing) return;
  if (claim.parse === undefined) {
    queue.sent('query', { kind: 'query', context: statement, statement: 0 });
    wires.toServer(encodeQuery(sentText));
    return;
  }
  statements.beginTracking();
  queue.sent('parse', { kind: 'parse', name: nameOf(claim, claim.parse), context: statement });
  wires.toServer(replaceParseText(claim.bytes, claim.parse, claim.bytes.length, sentText));
}

function nameOf(claim: Claim, parse: ParseParts): string {
  return readName(claim.bytes, parse.nameFrom, claim.bytes.length) ?? '';
}

function statementContext(
  client: { readonly coding: TextCoding; readonly clientText: string },
  sent: Pick<Lowered, 'text' | 'positions' | 'errors' | 'tags'>,
): StatementContext {
  return {
    coding: client.coding,
    errors: sent.errors,
    tags: sent.tags,
    weight:
      sent.positions.length +
      (client.coding.characterUnits === undefined
        ? 0
        : sent.text.length + client.clientText.length),
    translator: positionTranslator({
      positions: sent.positions,
      coding: client.coding,
      sentText: sent.text,
      clientText: client.clientText,
    }),
  };
}
