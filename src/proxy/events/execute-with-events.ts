import { decodeExecutePortal } from '../../protocol/execute-message.ts';
import { drainQueue, isIgnored } from '../claim-conditions.ts';
import type { SessionContext } from '../session-context.ts';
import { offerToSession } from './offer-to-session.ts';
import { withRefusedRows } from './refused-rows.ts';

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

/** In a failed transaction the backend answers 25P02 before it reads anything. */
function mayOffer(context: SessionContext): boolean {
  return context.queue.status !== 'E' && !isIgnored(context) && !context.wires.isClosing;
}
