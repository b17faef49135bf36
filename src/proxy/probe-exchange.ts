import { serialize } from 'pg-protocol';
import type { Probe } from '../contracts/rewriter.ts';
import type { TextCoding } from '../protocol/client-encoding.ts';
import { encodeParse } from '../protocol/parse-message.ts';
import { encodeQuery } from '../protocol/query-message.ts';
import { PendingProbe, type ProbeOutcome } from './pending-probe.ts';
import type { Entry } from './response-queue.ts';
import type { SessionContext } from './session-context.ts';
import type { StatementContext } from './statement-context.ts';

/** The name of the hidden statement, and of the portal of its survey. */
const probeName = 'heliosdb_probe';

type Asked = {
  readonly coding: TextCoding;
  readonly probe: Probe;
  /** How an error of the probe is worded. */
  readonly statement: StatementContext;
};

type Step = { readonly entry: Entry; readonly message: Buffer };

/**
 * The hidden exchanges of invariant 8.
 *
 * @param isSimple a Query follows, which has to end the transaction it began
 */
export async function exchangeProbe(
  context: SessionContext,
  asked: Asked,
  isSimple: boolean,
): Promise<ProbeOutcome> {
  if (asked.probe.survey === undefined || !isSimple || context.queue.status === 'T') {
    return inOneTransaction(context, asked);
  }
  const surveyed = await surveyApart(context, asked);
  const { survey: _asked, ...probe } = asked.probe;
  const outcome = await inOneTransaction(context, { ...asked, probe });
  return outcome.kind === 'done' ? { ...outcome, surveyed } : outcome;
}

/**
 * A Query after an Execute would leave the transaction open until the next Sync, so the survey has
 * one of its own. Where the client has begun something there is none: its end would be the end of
 * that.
 */
async function surveyApart(context: SessionContext, asked: Asked): Promise<string | null> {
  const { queue, wires } = context;
  if (!queue.isSettled) return null;
  const probe = new PendingProbe(1);
  queue.sent('survey', { kind: 'probe', probe, context: asked.statement });
  wires.toServer(encodeQuery(asked.coding.encode(asked.probe.survey ?? '')));
  const outcome = await probe.outcome;
  return outcome.kind === 'done' ? outcome.surveyed : null;
}

/** The locks of the probe hold until the statement itself is there. */
function inOneTransaction(context: SessionContext, asked: Asked): Promise<ProbeOutcome> {
  const { queue, wires } = context;
  const { text, parameterTypes, survey } = asked.probe;
  const name = `${probeName}${context.probesLeftBehind || ''}`;
  const steps = describing({ name, text: asked.coding.encode(text), parameterTypes });
  if (survey !== undefined) steps.push(...surveying(name, asked.coding.encode(survey)));
  const probe = new PendingProbe(steps.filter(({ entry }) => entry === 'probe-close').length);
  const note = { kind: 'probe', probe, context: asked.statement } as const;
  for (const { entry } of steps) queue.sent(entry, note);
  wires.toServer(Buffer.concat([...steps.map(({ message }) => message), serialize.flush()]));
  return probe.outcome;
}

/** Types, without running anything. */
function describing(statement: Parameters<typeof encodeParse>[0]): Step[] {
  const { name } = statement;
  return [
    { entry: 'probe-parse', message: encodeParse(statement) },
    { entry: 'probe-describe', message: serialize.describe({ type: 'S', name }) },
    { entry: 'probe-close', message: serialize.close({ type: 'S', name }) },
  ];
}

/** One row. The unnamed statement and portal are the client's. */
function surveying(name: string, text: Buffer): Step[] {
  return [
    { entry: 'probe-parse', message: encodeParse({ name, text, parameterTypes: [] }) },
    { entry: 'probe-bind', message: serialize.bind({ statement: name, portal: name }) },
    { entry: 'probe-execute', message: serialize.execute({ portal: name }) },
    { entry: 'probe-close', message: serialize.close({ type: 'P', name }) },
    { entry: 'probe-close', message: serialize.close({ type: 'S', name }) },
  ];
}
