import { serialize } from 'pg-protocol';
import { eventsParametersTooLong, followInTransaction } from '../../core/errors/change-access.ts';
import type { PgError } from '../../core/errors/pg-error.ts';
import { scannedMessageBytesMax } from '../../core/limits.ts';
import { renameBind } from '../../protocol/bind-message.ts';
import { decodeExecutePortal } from '../../protocol/execute-message.ts';
import { drainQueue, isIgnored } from '../claim-conditions.ts';
import { exchangeRows } from '../hidden-question.ts';
import { PendingQuestion, type QuestionOutcome } from '../pending-probe.ts';
import type { SessionContext } from '../session-context.ts';
import type { StatementContext } from '../statement-context.ts';
import { AnswerGiven } from './ask-session.ts';
import { followEvents } from './follow-events.ts';
import { offerToSession, putRefusedRows } from './offer-to-session.ts';
import { withRefusedRows } from './refused-rows.ts';

/**
 * Sends an Execute of a session in which statements read the change log: of one of these after its
 * rows. The caller holds the client's later messages until this resolves. Never rejects.
 */
export async function executeWithEvents(context: SessionContext, message: Buffer): Promise<void> {
  const { queue, statements, wires, services } = context;
  const portal = decodeExecutePortal(message, 0, message.length);
  context.isCanceled = false;
  try {
    // Which statement a portal is of is sure when everything before has been answered.
    if (!isIgnored(context)) await drainQueue(context);
    const bound = portal === undefined ? undefined : statements.portal(portal);
    if (portal !== undefined && bound?.events !== undefined && mayOffer(context)) {
      const { events, coding } = bound;
      if (events.reads[0]?.follows === true) {
        await followPortal(context, { message, portal, bound });
        return;
      }
      const offered = await offerToSession(context, { events, coding, isLocal: true });
      if (offered.kind === 'answered' || wires.isClosing) return;
      if (offered.hasEnded && events.bind !== undefined) bindAgain(context, portal, events.bind);
      statements.portalHasRows(portal, bound);
      queue.sent('execute', { kind: 'execute', context: withRefusedRows(bound, offered.error) });
      wires.toServer(message);
      return;
    }
  } catch (error) {
    services.logger.error('changes could not be handed over', { error });
  }
  if (wires.isClosing) return;
  queue.sent('execute', portal === undefined ? undefined : { kind: 'use-portal', name: portal });
  wires.toServer(message);
}

/** The rows of the portal's statement, with its parameters and formats, again and again. */
async function followPortal(
  context: SessionContext,
  execute: { readonly message: Buffer; readonly portal: string; readonly bound: StatementContext },
): Promise<void> {
  const { message, portal, bound } = execute;
  const { queue, wires } = context;
  const { coding } = bound;
  const events = bound.events!;
  const offer = { events, coding, isLocal: true };
  const show = (): Promise<QuestionOutcome> =>
    exchangeRows(context, {
      text: undefined,
      isDescribed: false,
      wording: bound,
      bind: (name) => renameBind(events.bind!, { portal: name, statement: events.statement! })!,
    });
  const { bind } = events;
  let error: PgError | undefined;
  if (!queue.isBetweenTransactions) error = followInTransaction();
  else if (bind === undefined) error = eventsParametersTooLong(scannedMessageBytesMax);
  else error = await followEvents(context, { ...offer, show });
  if (error === undefined || wires.isClosing) return;
  try {
    await putRefusedRows(context, offer, events.reads[0]!);
  } catch (failure) {
    if (failure instanceof AnswerGiven) return;
    throw failure;
  }
  // Its portal is gone when there was a Sync.
  if (queue.isBetweenTransactions && bind !== undefined) bindAgain(context, portal, bind);
  queue.sent('execute', { kind: 'execute', context: withRefusedRows(bound, error) });
  wires.toServer(message);
}

/** The client's own Bind, whose portal was closed by the end of a transaction it knows nothing of. */
function bindAgain({ queue, wires }: SessionContext, portal: string, bind: Buffer): void {
  queue.sent('probe-close');
  queue.sent('question-bind', {
    kind: 'question',
    question: new PendingQuestion(),
    context: undefined,
  });
  wires.toServer(Buffer.concat([serialize.close({ type: 'P', name: portal }), bind]));
}

/** In a failed transaction the backend answers 25P02 before it reads anything. */
function mayOffer(context: SessionContext): boolean {
  return context.queue.status !== 'E' && !isIgnored(context) && !context.wires.isClosing;
}
