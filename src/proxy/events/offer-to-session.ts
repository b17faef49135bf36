import type { EventsRead } from '../../contracts/rewriter.ts';
import { databaseNotCaptured } from '../../core/errors/change-access.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import type { SessionContext } from '../session-context.ts';
import { AnswerGiven, askSession, type Offer } from './ask-session.ts';
import { beginCapture } from './begin-capture.ts';
import { offerEvents, putRows } from './offer-events.ts';
import type { Offering } from './offering.ts';
import { refusedRows } from './refused-rows.ts';

/**
 * - `offered`: the statement may be executed. With an error it fails when it reads its rows, and
 *   is to be worded so.
 * - `answered`: the client has an error of the backend already, which skips now.
 */
export type Offered =
  | { readonly kind: 'offered'; readonly error: PgError | undefined }
  | { readonly kind: 'answered' };

/** Gets the rows of everything a text reads of the change log onto the client's own backend. */
export async function offerToSession(context: SessionContext, offer: Offer): Promise<Offered> {
  let refusal: PgError | undefined;
  try {
    for (const read of offer.events.reads) refusal ??= await offerOne(context, offer, read);
    return { kind: 'offered', error: refusal };
  } catch (error) {
    if (error instanceof AnswerGiven) return { kind: 'answered' };
    throw error;
  }
}

/** What a read needs. @throws PgError 55000 when the database of the session is not captured */
export function offeringFor(context: SessionContext, offer: Offer, read: EventsRead): Offering {
  const reader = context.services.changeLogs.of(context.database);
  if (reader === undefined) throw databaseNotCaptured(context.database);
  const isAscii = context.clientEncoding !== 'UTF8';
  return { reader, read, isAscii, ask: askSession(context, offer, read) };
}

async function offerOne(
  context: SessionContext,
  offer: Offer,
  read: EventsRead,
): Promise<PgError | undefined> {
  try {
    const offering = offeringFor(context, offer, read);
    await beginCapture(context, offering);
    await offerEvents(offering);
    return undefined;
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    await putRows({ read, isAscii: true, ask: askSession(context, offer, read) }, refusedRows);
    return error;
  }
}
