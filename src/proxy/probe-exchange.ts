import { serialize } from 'pg-protocol';
import type { Probe } from '../contracts/rewriter.ts';
import type { TextCoding } from '../protocol/client-encoding.ts';
import { encodeParse } from '../protocol/parse-message.ts';
import { PendingProbe, type ProbeOutcome } from './pending-probe.ts';
import type { Entry } from './response-queue.ts';
import type { SessionContext } from './session-context.ts';
import type { StatementContext } from './statement-context.ts';

/** The name of the hidden statement, and of the portal of its survey. */
const probeName = 'heliosdb_probe';

type Step = { readonly entry: Entry; readonly message: Buffer };

/** The hidden exchange of invariant 8. */
export function exchangeProbe(
  context: SessionContext,
  asked: {
    readonly coding: TextCoding;
    readonly probe: Probe;
    /** How an error of the probe is worded. */
    readonly statement: StatementContext;
  },
): Promise<ProbeOutcome> {
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
