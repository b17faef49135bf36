import { followInTransaction } from '../../core/errors/change-access.ts';
import { renameBind } from '../../protocol/bind-message.ts';
import { decodeExecutePortal } from '../../protocol/execute-message.ts';
import { drainQueue, isIgnored } from '../claim-conditions.ts';
import { exchangeRows } from '../hidden-question.ts';
import type { QuestionOutcome } from '../pending-probe.ts';
import type { SessionContext } from '../session-context.ts';
import type { StatementContext, StatementEvents } from '../statement-context.ts';
import { askSession, type Offer } from './ask-session.ts';
import { followEvents } from './follow-events.ts';
import { putRows } from './offer-events.ts';
import { offerToSession } from './offer-to-session.ts';
import { refusedRows, withRefusedRows } from './refused-rows.ts';

/**
 * Sends an Execute of a session in which statements read the change log: of one of these after its
 * rows. The caller holds the client's later messages until this resolves. Never rejects.
 */
export async function executeWithEvents(context: SessionContext, message: Buffer): Promise<void> {
  const { queue, statements, wires, services } = context;
  const portal = decodeExecutePortal(message, 0, message.length);
  try {
    // Which statement a portal is of is sure when everything before has been answered.
    if (!isIgnored(context)) await drainQueue(context);
    const bound = portal === undefined ? undefined : statements.portal(portal);
    if (portal !== undefined && bound?.events !== undefined && mayOffer(context)) {
      const { events, coding } = bound;
      if (events.reads[0]?.follows === true) {
        await followPortal(context, message, bound);
        return;
      }
      const offered = await offerToSession(context, { events, coding });
      if (offered.kind === 'answered' || wires.isClosing) return;
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
  message: Buffer,
  bound: StatementContext & { readonly events?: StatementEvents },
): Promise<void> {
  const { queue, wires } = context;
  const { coding } = bound;
  const events = bound.events!;
  const show = (): Promise<QuestionOutcome> =>
    exchangeRows(context, {
      text: undefined,
      isDescribed: false,
      wording: bound,
      bind: (name) => renameBind(events.bind!, { portal: name, statement: events.statement! })!,
    });
  const isInBlock = queue.status === 'T';
  const error = isInBlock
    ? followInTransaction()
    : await followEvents(context, { events, coding, show });
  if (error === undefined || wires.isClosing) return;
  // The portal reads what is no JSON, and fails.
  await putRows(
    {
      read: events.reads[0]!,
      isAscii: true,
      ask: askSession(context, bound as Offer, events.reads[0]!),
    },
    refusedRows,
  );
  queue.sent('execute', { kind: 'execute', context: withRefusedRows(bound, error) });
  wires.toServer(message);
}

/** In a failed transaction the backend answers 25P02 before it reads anything. */
function mayOffer(context: SessionContext): boolean {
  return context.queue.status !== 'E' && !isIgnored(context) && !context.wires.isClosing;
}
