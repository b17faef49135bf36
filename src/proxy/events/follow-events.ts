import { performance } from 'node:perf_hooks';
import type { ChangePosition } from '../../contracts/change.ts';
import type { LogReader, ReadForward } from '../../contracts/log-reader.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { eventsBatchMax, followRightsMs } from '../../core/limits.ts';
import { printLsn } from '../../core/lsn.ts';
import type { QuestionOutcome } from '../pending-probe.ts';
import type { SessionContext } from '../session-context.ts';
import { AnswerGiven, endQuestions, type Offer } from './ask-session.ts';
import { beginCapture } from './begin-capture.ts';
import { EventScope } from './event-scope.ts';
import { epochOf } from './gaps.ts';
import { collectBackward, matches, putRows, rowsOf } from './offer-events.ts';
import { offeringFor } from './offer-to-session.ts';
import type { Offering } from './offering.ts';

export type Follow = Offer & {
  /** Has the backend show the rows it was handed; the first time it describes them, if it has to. */
  readonly show: (isFirst: boolean) => Promise<QuestionOutcome>;
};

/**
 * Streams what a SHOW CDC EVENTS FOLLOW is about until its backend gives an error, which is the
 * client's answer: between two batches the backend is busy with `heliosdb.park()`, so that a cancel
 * request, pg_terminate_backend and a shutdown reach it as they reach any statement. A client that
 * does not read its rows stops everything before it. Answers an error that is still to be provoked.
 */
export async function followEvents(
  context: SessionContext,
  follow: Follow,
): Promise<PgError | undefined> {
  context.listensWhileClaiming(true);
  context.isFollowing = true;
  try {
    return await new Following(context, follow).run();
  } catch (error) {
    if (error instanceof AnswerGiven) return undefined;
    if (error instanceof PgError) return error;
    throw error;
  } finally {
    context.isFollowing = false;
    context.listensWhileClaiming(false);
  }
}

class Following {
  readonly #context: SessionContext;
  readonly #follow: Follow;
  readonly #offering: Offering;
  #hasShown = false;

  constructor(context: SessionContext, follow: Follow) {
    this.#context = context;
    this.#follow = follow;
    this.#offering = offeringFor(context, follow, follow.events.reads[0]!);
  }

  async run(): Promise<never> {
    await beginCapture(this.#context, this.#offering);
    let scope = await EventScope.open(this.#offering);
    let from = await this.#begin(scope);
    let rightsUntil = performance.now() + followRightsMs;
    for (;;) {
      const { through, shown, end } = await this.#batch(scope, from);
      if (shown !== undefined) from = { kind: 'after', position: through };
      if (shown === 'all') await this.#park(end);
      await this.#offering.pause();
      if (shown === 'some' && performance.now() < rightsUntil) continue;
      // New tables, and rights that have changed.
      scope = await EventScope.open(this.#offering);
      rightsUntil = performance.now() + followRightsMs;
    }
  }

  /** Shows what comes next; nothing when there is a table of which the scope does not know. */
  async #batch(
    scope: EventScope,
    from: ReadForward['from'],
  ): Promise<{
    readonly through: ChangePosition;
    readonly shown: 'all' | 'some' | undefined;
    readonly end: bigint;
  }> {
    const { reader } = this.#offering;
    const { endLsn: end } = await reader.bounds();
    const { changes, through, isAtEnd } = await reader.read({
      from,
      tables: scope.tables,
      schemaChanges: true,
      changesMax: eventsBatchMax,
    });
    if (await scope.isOutdated()) return { through, shown: undefined, end };
    const span = { after: epochOf(from, scope.bounds), through: through.epoch };
    const rows = await matches(this.#offering, await scope.rows(changes, span));
    if (rows.length > 0) await this.#show(rows);
    return { through, shown: isAtEnd ? 'all' : 'some', end };
  }

  /** Shows what there is to begin with; answers where what follows begins. */
  async #begin(scope: EventScope): Promise<ReadForward['from']> {
    const { reader, read } = this.#offering;
    if (read.sinceLsn !== undefined || read.limit === undefined) {
      const start = scope.start();
      await this.#show([]);
      return start;
    }
    const last = await lastPosition(reader);
    if (last === undefined) {
      await this.#show([]);
      return { kind: 'start' };
    }
    const before = { ...last, seq: last.seq + 1 };
    const rows = await collectBackward(this.#offering, scope, before);
    await this.#show(rowsOf(rows));
    return { kind: 'after', position: last };
  }

  async #show(rows: readonly string[]): Promise<void> {
    await putRows(this.#offering, `[${rows.join(',')}]`);
    const outcome = await this.#follow.show(!this.#hasShown);
    if (outcome.kind !== 'answered') throw new AnswerGiven();
    this.#hasShown = true;
    endQuestions(this.#context);
  }

  async #park(beyond: bigint): Promise<void> {
    // A procedure that commits has to be the first statement of its transaction.
    endQuestions(this.#context);
    await this.#offering.ask({
      text: 'CALL heliosdb.park($1)',
      parameters: [printLsn(beyond)],
    });
    endQuestions(this.#context);
  }
}

async function lastPosition(reader: LogReader): Promise<ChangePosition | undefined> {
  let before: ChangePosition | undefined;
  for (;;) {
    const batch = await reader.readBackward({
      before,
      tables: 'all',
      schemaChanges: true,
      changesMax: 1,
    });
    const last = batch.changes.at(-1);
    if (last !== undefined) return last.position;
    if (batch.isAtStart) return undefined;
    before = batch.before;
  }
}
