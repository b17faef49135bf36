import { performance } from 'node:perf_hooks';
import { serialize } from 'pg-protocol';
import type { EventsRead, Lowered, Probe, Rewrite, RewriteInput } from '../contracts/rewriter.ts';
import { followInTransaction } from '../core/errors/change-access.ts';
import { statementCanceled } from '../core/errors/connection.ts';
import { encodeBind } from '../protocol/bind-message.ts';
import { readName } from '../protocol/c-string.ts';
import { type TextCoding, textCoding } from '../protocol/client-encoding.ts';
import type { ResponseFields } from '../protocol/error-response.ts';
import { decodeParseTypes, replaceParseText } from '../protocol/parse-message.ts';
import { encodeQuery } from '../protocol/query-message.ts';
import type { Claim } from './claim.ts';
import { drainQueue, isIgnored } from './claim-conditions.ts';
import { endQuestions } from './events/ask-session.ts';
import { followEvents } from './events/follow-events.ts';
import { offerToSession } from './events/offer-to-session.ts';
import { withRefusedRows } from './events/refused-rows.ts';
import { exchangeRows, sendInsteadOfQuery } from './hidden-question.ts';
import type { SurveyOutcome } from './pending-probe.ts';
import { positionTranslator } from './position-map.ts';
import { exchangeProbe, exchangeSurvey } from './probe-exchange.ts';
import { provoke } from './refusal.ts';
import type { SessionContext } from './session-context.ts';
import type { StatementContext, StatementEvents } from './statement-context.ts';

/**
 * Has the text rewritten and sends what it became. The caller holds the client's later messages
 * until this resolves. Never rejects: if something goes wrong the client's own bytes are sent.
 */
export async function claimStatement(context: SessionContext, claim: Claim): Promise<void> {
  const claimedAt = performance.now();
  const { logger, metrics } = context.services;
  context.isCanceled = false;
  try {
    await settle(context);
    if (claim.parse === undefined) await drainQueue(context);
    const coding = textCoding(context.clientEncoding ?? '', claim.text);
    const text = coding?.decode(claim.text);
    if (coding === undefined || text === undefined || isIgnored(context)) forward(context, claim);
    else await new ClaimedStatement(context, { claim, coding, text }).answer();
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

/** The client's own message. */
function forward({ queue, statements, wires }: SessionContext, claim: Claim): void {
  if (wires.isClosing) return;
  if (claim.parse === undefined) queue.sent('query');
  else if (!statements.isTracking) queue.sent('parse');
  else queue.sent('parse', { kind: 'parse', name: nameOf(claim) });
  wires.toServer(claim.bytes);
}

function nameOf({ bytes, parse }: Claim): string {
  return readName(bytes, parse?.nameFrom ?? 0, bytes.length) ?? '';
}

/** What became of a text. */
type Answer =
  | Rewrite
  /** The client has its answer: an error of the probe. */
  | { readonly kind: 'answered' }
  /** The backend has given the error the client's statement would have got. */
  | { readonly kind: 'interrupted'; readonly error: ResponseFields };

/** SQLSTATEs that are about the client's statement and not about what was asked before it. */
const interruptions: ReadonlySet<string> = new Set(['57014', '55P03']);

/** What fails in the backend where the client's statement would have. */
const canceled: Lowered = provoke(statementCanceled());

/** A text that is looked at, between the client's message and what is sent in its place. */
class ClaimedStatement {
  readonly #context: SessionContext;
  readonly #claim: Claim;
  readonly #coding: TextCoding;
  readonly #text: string;

  constructor(
    context: SessionContext,
    claimed: { readonly claim: Claim; readonly coding: TextCoding; readonly text: string },
  ) {
    this.#context = context;
    this.#claim = claimed.claim;
    this.#coding = claimed.coding;
    this.#text = claimed.text;
  }

  async answer(): Promise<void> {
    const answer = await this.#ask();
    switch (answer.kind) {
      case 'answered':
        if (this.#claim.parse === undefined) this.#sendSync();
        return;
      case 'interrupted':
        this.#send(canceled, answer.error);
        return;
      case 'send':
        if (isIgnored(this.#context)) break;
        if (answer.loweredStatements > 0) {
          this.#context.services.metrics.statementsLowered(answer.loweredStatements);
        }
        if (answer.events !== undefined && this.#claim.parse === undefined) {
          await this.#sendWithEvents(answer, answer.events);
        } else this.#send(answer);
        return;
      case 'pass':
      case 'probe':
        break;
    }
    forward(this.#context, this.#claim);
  }

  async #ask(): Promise<Answer> {
    const { wires, services } = this.#context;
    const input = this.#input();
    const first = await this.#rewrite(input);
    if (first.kind !== 'probe' || wires.isClosing || isIgnored(this.#context)) return first;
    const surveyed = await this.#survey(first);
    if (surveyed.error !== undefined) return { kind: 'interrupted', error: surveyed.error };
    const statement = this.#statementContext({ ...first, errors: [], tags: [] });
    const asked = { coding: this.#coding, probe: first, statement };
    const outcome = await exchangeProbe(this.#context, asked);
    if (outcome.kind === 'failed') return { kind: 'answered' };
    if (outcome.kind === 'dropped') return { kind: 'pass' };
    const { types } = outcome;
    const discovery = { kind: 'done', types, surveyed: surveyed.value } as const;
    const second = await this.#rewrite({ ...input, discovery });
    if (second.kind === 'probe') services.logger.error('the rewriter asked for types twice');
    return second;
  }

  #input(): RewriteInput {
    const { queue, standardConformingStrings } = this.#context;
    const { bytes, parse } = this.#claim;
    const isSimple = parse === undefined;
    return {
      text: this.#text,
      protocol: isSimple ? 'simple' : 'extended',
      standardConformingStrings,
      parameterTypes: isSimple ? [] : decodeParseTypes(bytes, parse),
      discovery: { kind: isSimple && queue.status === 'E' ? 'impossible' : 'possible' },
    };
  }

  /** While a worker has the text the backend is idle, so a cancel request has to end the wait. */
  async #rewrite(input: RewriteInput): Promise<Rewrite> {
    const context = this.#context;
    const cancellation = new Promise<Rewrite>((resolve) => {
      context.cancelClaim = () => resolve(canceled);
    });
    try {
      return await Promise.race([context.services.rewriter.rewrite(input), cancellation]);
    } finally {
      context.cancelClaim = undefined;
    }
  }

  /** Without an error unless it is the client's: an interruption, or the end of its transaction. */
  async #survey(probe: Probe): Promise<SurveyOutcome> {
    if (probe.survey === undefined) return { value: null, error: undefined };
    const isInBlock = this.#context.queue.status === 'T';
    const asked = { coding: this.#coding, survey: probe.survey };
    const { value, error } = await exchangeSurvey(this.#context, asked);
    const code = error?.get('C')?.toString('latin1') ?? '';
    return { value, error: isInBlock || interruptions.has(code) ? error : undefined };
  }

  /** Ends a simple statement whose probe failed: its ReadyForQuery is the client's. */
  #sendSync(): void {
    this.#context.queue.sent('sync');
    this.#context.wires.toServer(serialize.sync());
  }

  /** The rows are put where the text reads them first. */
  async #sendWithEvents(rewrite: Lowered, reads: readonly EventsRead[]): Promise<void> {
    const { queue } = this.#context;
    // In a failed transaction the backend answers 25P02 before it reads anything.
    if (queue.status === 'E') {
      this.#send(rewrite);
      return;
    }
    if (reads[0]?.follows === true) {
      await this.#follow(rewrite, reads);
      return;
    }
    // What is asked begins an implicit transaction, which the Query goes on with unless it may not.
    const isLocal = !queue.isSettled || !reads.some(({ isBehindBegin }) => isBehindBegin);
    const offered = await offerToSession(this.#context, {
      events: this.#events(rewrite.errors, reads),
      coding: this.#coding,
      isLocal,
    });
    if (offered.kind === 'answered') {
      this.#sendSync();
      return;
    }
    if (this.#context.wires.isClosing) return;
    if (!isLocal) endQuestions(this.#context);
    const worded = withRefusedRows(rewrite, offered.error);
    if (reads[0]?.isAlone !== true) this.#send(worded);
    else {
      sendInsteadOfQuery(this.#context, {
        text: this.#coding.encode(worded.text),
        context: this.#statementContext(worded),
      });
    }
  }

  /** Streams until the backend gives an error; its ReadyForQuery is the client's. */
  async #follow(rewrite: Lowered, reads: readonly EventsRead[]): Promise<void> {
    const context = this.#context;
    const text = this.#coding.encode(rewrite.text);
    const wording = this.#statementContext({ ...rewrite, tags: [] });
    const error =
      context.queue.isSettled && context.queue.status === 'I'
        ? await followEvents(context, {
            events: this.#events(rewrite.errors, reads),
            coding: this.#coding,
            isLocal: true,
            show: (isFirst) =>
              exchangeRows(context, {
                text,
                isDescribed: isFirst,
                wording,
                bind: (name) => encodeBind({ portal: name, statement: name, values: [] }),
              }),
          })
        : followInTransaction();
    if (context.wires.isClosing) return;
    if (error === undefined) this.#sendSync();
    else this.#send(provoke(error));
  }

  #events(errors: Lowered['errors'], reads: readonly EventsRead[]): StatementEvents {
    const { bytes, parse } = this.#claim;
    return {
      reads,
      parameterTypes: parse === undefined ? [] : decodeParseTypes(bytes, parse),
      wording: ({ filter }) => filter && this.#statementContext({ ...filter, errors, tags: [] }),
    };
  }

  /** @param given takes the place of the error that the text provokes */
  #send(rewrite: Lowered, given?: ResponseFields): void {
    const { queue, statements, wires } = this.#context;
    if (wires.isClosing) return;
    const { bytes, parse } = this.#claim;
    const worded = this.#statementContext(rewrite);
    const context = given === undefined ? worded : { ...worded, given };
    const text = this.#coding.encode(rewrite.text);
    if (parse === undefined) {
      queue.sent('query', { kind: 'query', context, statement: 0 });
      wires.toServer(encodeQuery(text));
      return;
    }
    statements.beginTracking();
    if (rewrite.events !== undefined) statements.beginEvents();
    queue.sent('parse', { kind: 'parse', name: nameOf(this.#claim), context });
    wires.toServer(replaceParseText(bytes, parse, bytes.length, text));
  }

  #statementContext(
    sent: Pick<Lowered, 'text' | 'positions' | 'errors' | 'tags' | 'events'>,
  ): StatementContext {
    const coding = this.#coding;
    const keepsTexts = coding.characterUnits !== undefined;
    return {
      coding,
      errors: sent.errors,
      tags: sent.tags,
      ...(sent.events === undefined ? {} : { events: this.#events(sent.errors, sent.events) }),
      weight: sent.positions.length + (keepsTexts ? sent.text.length + this.#text.length : 0),
      translator: positionTranslator({
        positions: sent.positions,
        coding,
        sentText: sent.text,
        clientText: this.#text,
      }),
    };
  }
}
