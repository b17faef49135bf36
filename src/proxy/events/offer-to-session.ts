import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { EventsRead } from '../../contracts/rewriter.ts';
import { databaseNotCaptured } from '../../core/errors/change-access.ts';
import { statementCanceled, statementTimedOut } from '../../core/errors/connection.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import type { SessionContext } from '../session-context.ts';
import { AnswerGiven, askSession, type Offer } from './ask-session.ts';
import { beginCapture } from './begin-capture.ts';
import { offerEvents, putRows } from './offer-events.ts';
import type { Offering } from './offering.ts';
import { refusedRows } from './refused-rows.ts';

/**
 * - `offered`: the statement may be executed. With an error it fails when it reads its rows, and
 *   is to be worded so. `hasEnded`: a Sync was sent, so that portals are gone.
 * - `answered`: the client has an error of the backend already, which skips now.
 */
export type Offered =
  | { readonly kind: 'offered'; readonly error: PgError | undefined; readonly hasEnded: boolean }
  | { readonly kind: 'answered' };

/** Gets the rows of everything a text reads of the change log onto the client's own backend. */
export async function offerToSession(context: SessionContext, offer: Offer): Promise<Offered> {
  let hasEnded = false;
  try {
    for (const read of offer.events.reads) {
      const offered = await offerOne(context, offer, read);
      hasEnded ||= offered.hasEnded;
      if (offered.error !== undefined) return { kind: 'offered', error: offered.error, hasEnded };
    }
    return { kind: 'offered', error: undefined, hasEnded };
  } catch (error) {
    if (error instanceof AnswerGiven) return { kind: 'answered' };
    throw error;
  }
}

/** In milliseconds. */
const timeoutQuery = `
SELECT s.setting FROM pg_catalog.pg_settings AS s
 WHERE s.name OPERATOR(pg_catalog.=) 'statement_timeout'`;

/** What a read needs. @throws PgError 55000 when the database of the session is not captured */
export function offeringFor(context: SessionContext, offer: Offer, read: EventsRead): Offering {
  const reader = context.services.changeLogs.of(context.database);
  if (reader === undefined) throw databaseNotCaptured(context.database);
  const isAscii = context.clientEncoding !== 'UTF8';
  const ask = askSession(context, offer, read);
  const startedAt = performance.now();
  /** Postgres measures only what it is asked, and not all of it together. */
  let timeoutMs: number | undefined;
  const heed = (): void => {
    if (context.wires.isClosing) throw new AnswerGiven();
    if (context.isCanceled) throw statementCanceled();
  };
  return {
    reader,
    read,
    isAscii,
    isLocal: offer.isLocal,
    ask: (question) => {
      heed();
      return ask(question);
    },
    pause: async () => {
      await setImmediate();
      heed();
      timeoutMs ??= Number(await ask({ text: timeoutQuery, parameters: [] }));
      if (timeoutMs > 0 && performance.now() - startedAt > timeoutMs) throw statementTimedOut();
    },
  };
}

/** The statement fails when it reads its rows. */
export function putRefusedRows(
  context: SessionContext,
  offer: Offer,
  read: EventsRead,
): Promise<void> {
  const { isLocal } = offer;
  return putRows(
    { read, isAscii: true, isLocal, ask: askSession(context, offer, read) },
    refusedRows,
  );
}

async function offerOne(
  context: SessionContext,
  offer: Offer,
  read: EventsRead,
): Promise<{ readonly error: PgError | undefined; readonly hasEnded: boolean }> {
  let hasEnded = false;
  try {
    const offering = offeringFor(context, offer, read);
    await beginCapture(context, offering, () => {
      hasEnded = true;
    });
    if (read.beginsOnly !== true) await offerEvents(offering);
    return { error: undefined, hasEnded };
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    if (read.beginsOnly !== true) await putRefusedRows(context, offer, read);
    return { error, hasEnded };
  }
}
