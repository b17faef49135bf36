import type { EventsRead } from '../../contracts/rewriter.ts';
import { databaseNotCaptured } from '../../core/errors/change-access.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { encodeBind, rebind } from '../../protocol/bind-message.ts';
import type { TextCoding } from '../../protocol/client-encoding.ts';
import { exchangeQuestion, type Question } from '../hidden-question.ts';
import type { SessionContext } from '../session-context.ts';
import { type Ask, offerEvents } from './offer-events.ts';
import { refusedRows } from './refused-rows.ts';
import type { StatementEvents } from './statement-events.ts';

export type Offer = {
  readonly events: StatementEvents;
  readonly coding: TextCoding;
};

/**
 * - `offered`: the statement may be executed. With an error it fails when it reads its rows, and
 *   is to be worded so.
 * - `answered`: the client has an error of the backend already, which skips now.
 */
export type Offered =
  | { readonly kind: 'offered'; readonly error: PgError | undefined }
  | { readonly kind: 'answered' };

/** The client's answer is on its way, or will never come. */
class AnswerGiven extends Error {}

/** Gets the rows of everything a text reads of the change log onto the client's own backend. */
export async function offerToSession(context: SessionContext, offer: Offer): Promise<Offered> {
  let refusal: PgError | undefined;
  for (const read of offer.events.reads) {
    try {
      refusal ??= await offerOne(context, offer, read);
    } catch (error) {
      if (error instanceof AnswerGiven) return { kind: 'answered' };
      throw error;
    }
  }
  return { kind: 'offered', error: refusal };
}

async function offerOne(
  context: SessionContext,
  offer: Offer,
  read: EventsRead,
): Promise<PgError | undefined> {
  const isAscii = context.clientEncoding !== 'UTF8';
  const ask: Ask = (question) => askBackend(context, offer, { ...question, read });
  try {
    const reader = context.services.changeLogs.of(context.database);
    if (reader === undefined) throw databaseNotCaptured(context.database);
    await offerEvents({ reader, read, ask, isAscii });
    return undefined;
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    await ask({
      text: 'SELECT pg_catalog.set_config($1, $2, false) IS NULL',
      parameters: [read.setting, refusedRows],
    });
    return error;
  }
}

async function askBackend(
  context: SessionContext,
  offer: Offer,
  question: Parameters<Ask>[0] & { readonly read: EventsRead },
): Promise<string | null> {
  if (context.wires.isClosing || context.queue.isSkipping) throw new AnswerGiven();
  const { coding, events } = offer;
  const isClients = question.isClients === true;
  const asked: Question = {
    coding,
    text: question.text,
    parameterTypes: isClients ? events.parameterTypes : [],
    statement: isClients ? events.wording(question.read) : undefined,
    bind: (name) =>
      (isClients && events.bind !== undefined
        ? rebind(events.bind, { portal: name, statement: name })
        : undefined) ??
      encodeBind({
        portal: name,
        statement: name,
        values: question.parameters.map((text) => coding.encode(text)),
      }),
  };
  const outcome = await exchangeQuestion(context, asked);
  if (outcome.kind !== 'answered') throw new AnswerGiven();
  if (outcome.value === null) return null;
  return coding.decode(outcome.value) ?? outcome.value.toString('latin1');
}
