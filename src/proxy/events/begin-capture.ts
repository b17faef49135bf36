import type { LogReader } from '../../contracts/log-reader.ts';
import { notSetUp } from '../../core/errors/cdc.ts';
import {
  type CaptureFailure,
  captureDoesNotBegin,
  captureFails,
  captureNotBegun,
} from '../../core/errors/change-access.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { captureBeginMaxMs, captureFailureShownMs } from '../../core/limits.ts';
import type { SessionContext } from '../session-context.ts';
import { endQuestions } from './ask-session.ts';
import type { Offering } from './offering.ts';

const isSetUp = "SELECT pg_catalog.to_regprocedure('heliosdb.capture_wish()') IS NOT NULL";

/** Whether anybody has decided about capture, and whether the role may. */
const question = `
SELECT pg_catalog.concat(heliosdb.capture_wish(), ' ', CASE
  WHEN pg_catalog.has_function_privilege('heliosdb.enable_capture()', 'EXECUTE')
  THEN 'may' ELSE 'may not' END)`;

/** A schema that a node of the version before has made lacks it. */
const tellsFailures = "SELECT pg_catalog.to_regprocedure('heliosdb.capture_failure()') IS NOT NULL";

/** The backend waits, so that a cancel request finds a statement. */
const pause = 'SELECT pg_catalog.pg_sleep(0.05) IS NULL';

const failureQuery = 'SELECT heliosdb.capture_failure()::pg_catalog.text';

/**
 * On a database of which nobody has said whether it is to be captured, the first question for its
 * changes by somebody who may say so begins it: there are none from before in any case. Does
 * nothing where there is a log. Rejects with 55000 where there is none and will be none, and with
 * what stops capture where that does not pass by itself.
 */
export async function beginCapture(
  context: SessionContext,
  offering: Offering,
  ending: () => void = () => undefined,
): Promise<void> {
  if (await hasLog(offering.reader)) return;
  if ((await offering.ask({ text: isSetUp, parameters: [] })) !== 't') throw notSetUp();
  const [wish, ...right] = ((await offering.ask({ text: question, parameters: [] })) ?? '').split(
    ' ',
  );
  if (wish === 'off' || (wish === 'undecided' && right.join(' ') !== 'may')) {
    throw captureNotBegun(context.database);
  }
  const failures = await CaptureFailures.of(offering);
  // What begins it ends transactions, which must not be the client's.
  if (!context.queue.isBetweenTransactions) {
    if (wish === 'on') await failures.lookFor(captureFailureShownMs);
    throw captureNotBegun(context.database);
  }
  ending();
  endQuestions(context);
  if (wish === 'undecided') {
    await offering.ask({ text: 'CALL heliosdb.enable_capture()', parameters: [] });
    endQuestions(context);
  }
  const end = performance.now() + captureBeginMaxMs;
  while (performance.now() < end) {
    if (await hasLog(offering.reader)) return;
    await failures.look();
    // Which node has the log is known a little later than that it is captured.
    await offering.ask({ text: pause, parameters: [] });
    await offering.pause();
    endQuestions(context);
  }
  throw captureDoesNotBegin(context.database, captureBeginMaxMs / 1_000, failures.last);
}

/** What keeps a capture from beginning, as the node that tries says in the catalog. */
class CaptureFailures {
  readonly #offering: Offering;
  readonly #areTold: boolean;
  /** One that may pass by itself. */
  last: CaptureFailure | undefined;

  private constructor(offering: Offering, areTold: boolean) {
    this.#offering = offering;
    this.#areTold = areTold;
  }

  static async of(offering: Offering): Promise<CaptureFailures> {
    const areTold = (await offering.ask({ text: tellsFailures, parameters: [] })) === 't';
    return new CaptureFailures(offering, areTold);
  }

  /** Rejects with a failure that waiting does not mend. */
  async look(): Promise<void> {
    if (!this.#areTold) return;
    const told = await this.#offering.ask({ text: failureQuery, parameters: [] });
    if (told === null) return;
    const failure = JSON.parse(told) as CaptureFailure;
    if (!isPassing(failure.code)) throw captureFails(failure);
    this.last = failure;
  }

  /** An attempt that has just begun has not failed yet, whatever became of the one before. */
  async lookFor(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (this.#areTold && performance.now() < end) {
      await this.look();
      await this.#offering.ask({ text: pause, parameters: [] });
      await this.#offering.pause();
    }
  }
}

const passingCodes: ReadonlySet<string> = new Set(['53000', '53200', '53300', '55006', '55P03']);

/** A connection that broke, a server that restarts, a lock or a slot that another one still has. */
function isPassing(code: string): boolean {
  return /^(?:08|40|57)/.test(code) || passingCodes.has(code);
}

async function hasLog(reader: LogReader): Promise<boolean> {
  try {
    await reader.bounds();
    return true;
  } catch (error) {
    if (error instanceof PgError && error.code === '55000') return false;
    throw error;
  }
}
