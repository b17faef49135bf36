import { serialize } from 'pg-protocol';
import type { Probe } from '../contracts/rewriter.ts';
import type { TextCoding } from '../protocol/client-encoding.ts';
import { encodeParse } from '../protocol/parse-message.ts';
import {
  PendingProbe,
  PendingSurvey,
  type ProbeOutcome,
  type SurveyOutcome,
} from './pending-probe.ts';
import type { Entry } from './response-queue.ts';
import type { SessionContext } from './session-context.ts';
import type { StatementContext } from './statement-context.ts';

/** The name of the hidden statement, and of the portal of its survey: no client chooses it. */
const probeName = `heliosdb_probe_${process.pid.toString(36)}${Date.now().toString(36)}`;

type Step = { readonly entry: Entry; readonly message: Buffer };

/**
 * Asks for types (invariant 8). The locks of the probe hold until the statement itself is there.
 *
 * @param asked.statement how an error of the probe is worded
 */
export function exchangeProbe(
  context: SessionContext,
  asked: {
    readonly coding: TextCoding;
    readonly probe: Probe;
    readonly statement: StatementContext;
  },
): Promise<ProbeOutcome> {
  const { queue, wires } = context;
  const { parameterTypes } = asked.probe;
  const name = `${probeName}${context.probesLeftBehind || ''}`;
  const text = asked.coding.encode(asked.probe.text);
  const steps: Step[] = [
    { entry: 'probe-parse', message: encodeParse({ name, text, parameterTypes }) },
    { entry: 'probe-describe', message: serialize.describe({ type: 'S', name }) },
    { entry: 'probe-close', message: serialize.close({ type: 'S', name }) },
  ];
  const probe = new PendingProbe();
  const note = { kind: 'probe', probe, context: asked.statement } as const;
  for (const { entry } of steps) queue.sent(entry, note);
  wires.toServer(Buffer.concat([...steps.map(({ message }) => message), serialize.flush()]));
  return probe.outcome;
}

const nothingKnown: SurveyOutcome = { value: null, error: undefined };

/**
 * Asks about statistics, before the probe and with a Sync of its own: after an Execute the backend
 * keeps an implicit transaction open until one. Where the client has begun something without a
 * BEGIN there is no survey, for its Sync would be the end of that. The statement and the portal
 * have names, so the client's unnamed ones stay.
 */
export async function exchangeSurvey(
  context: SessionContext,
  asked: { readonly coding: TextCoding; readonly survey: string },
): Promise<SurveyOutcome> {
  const { queue, wires } = context;
  if (!queue.isSettled || queue.status === 'E') return nothingKnown;
  const survey = new PendingSurvey();
  queue.sent('survey', { kind: 'survey', survey });
  const name = `${probeName}_survey`;
  const text = asked.coding.encode(asked.survey);
  wires.toServer(
    Buffer.concat([
      // One that failed before could not be closed.
      serialize.close({ type: 'S', name }),
      encodeParse({ name, text, parameterTypes: [] }),
      serialize.bind({ statement: name, portal: name }),
      serialize.execute({ portal: name }),
      serialize.close({ type: 'P', name }),
      serialize.close({ type: 'S', name }),
      serialize.sync(),
    ]),
  );
  return survey.outcome;
}
