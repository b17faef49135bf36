import { serialize } from 'pg-protocol';
import type { EventsRead } from '../../contracts/rewriter.ts';
import { eventsParametersTooLong } from '../../core/errors/change-access.ts';
import { scannedMessageBytesMax } from '../../core/limits.ts';
import { encodeBind, rebind } from '../../protocol/bind-message.ts';
import type { TextCoding } from '../../protocol/client-encoding.ts';
import { exchangeQuestion } from '../hidden-question.ts';
import { PendingSurvey } from '../pending-probe.ts';
import type { SessionContext } from '../session-context.ts';
import type { StatementEvents } from '../statement-context.ts';
import type { Ask } from './offering.ts';

export type Offer = {
  readonly events: StatementEvents;
  readonly coding: TextCoding;
  /** What reads the rows is part of the transaction in which they are handed over. */
  readonly isLocal: boolean;
};

/** The client's answer is on its way, or will never come. */
export class AnswerGiven extends Error {}

/** Asks the backend of a session, unseen by its client, on behalf of one read of a text. */
export function askSession(context: SessionContext, offer: Offer, read: EventsRead): Ask {
  const { coding, events } = offer;
  return async ({ text, parameters, isClients = false }) => {
    if (context.wires.isClosing || context.queue.isSkipping) throw new AnswerGiven();
    if (isClients && events.isBound && events.bind === undefined) {
      throw eventsParametersTooLong(scannedMessageBytesMax);
    }
    const values = parameters.map((parameter) => coding.encode(parameter));
    const outcome = await exchangeQuestion(context, {
      coding,
      text,
      parameterTypes: isClients ? events.parameterTypes : [],
      statement: isClients ? events.wording(read) : undefined,
      bind: (name) =>
        (isClients && events.bind !== undefined
          ? rebind(events.bind, { portal: name, statement: name })
          : undefined) ?? encodeBind({ portal: name, statement: name, values }),
    });
    if (outcome.kind !== 'answered') throw new AnswerGiven();
    if (outcome.value === null) return null;
    return coding.decode(outcome.value) ?? outcome.value.toString('latin1');
  };
}

/** Ends the implicit transaction that what was asked has begun. */
export function endQuestions({ queue, wires }: SessionContext): void {
  if (wires.isClosing) return;
  queue.sent('survey', { kind: 'survey', survey: new PendingSurvey() });
  wires.toServer(serialize.sync());
}
