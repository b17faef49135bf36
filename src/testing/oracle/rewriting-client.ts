import { type Client, type Connection, DatabaseError, type Submittable } from 'pg';
import type { Discovery, Lowered, Probe } from '../../contracts/rewriter.ts';
import { rewrite } from '../../lowering/rewrite.ts';
import type { Step } from './contexts.ts';

/** What a statement came to: columns and rows as text, or its SQLSTATE. */
export type Outcome =
  | {
      readonly kind: 'rows';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly (string | null)[])[];
      readonly sent: string;
    }
  | {
      readonly kind: 'error';
      readonly code: string;
      readonly message: string;
      readonly routine?: string;
      readonly sent: string;
      /** Whether the types of expressions could not be asked for. */
      readonly isWithoutTypes?: boolean;
    };

/** Runs a statement as the proxy would: rewritten, after the probe where one is asked for. */
export async function runRewritten(
  client: Client,
  step: Step,
  canProbe: boolean,
): Promise<Outcome> {
  const input = {
    text: step.text,
    protocol: step.values === undefined ? 'simple' : 'extended',
    standardConformingStrings: true,
    parameterTypes: [],
  } as const;
  const ask = (discovery: Discovery) => rewrite({ ...input, discovery });
  let answer = await ask({ kind: canProbe ? 'possible' : 'impossible' });
  if (answer.kind === 'probe') {
    const described = await describe(client, answer);
    if (!Array.isArray(described)) return described as Outcome;
    answer = await ask({
      kind: 'done',
      types: described as number[],
      surveyed: await survey(client, answer),
    });
  }
  if (answer.kind === 'probe') return failed('XX000', 'a second probe', step.text);
  const text = answer.kind === 'pass' ? step.text : answer.text;
  const outcome = await runPlain(client, { ...step, text });
  if (outcome.kind !== 'error') return outcome;
  const worded = answer.kind === 'pass' ? outcome : reworded(outcome, answer);
  return { ...worded, isWithoutTypes: !canProbe };
}

async function survey(client: Client, { survey: text }: Probe): Promise<string | null> {
  if (text === undefined) return null;
  const found = await runPlain(client, { text });
  // Not to be able to fail is what a survey promises.
  if (found.kind === 'error') throw new Error(`${found.message}: ${text}`);
  return found.rows[0]?.[0] ?? null;
}

function failed(code: string, message: string, sent: string): Failed {
  return { kind: 'error', code, message, sent };
}

/** Parameter types of a probe, by a Parse message as the proxy sends it. */
async function describe(client: Client, probe: Probe): Promise<readonly number[] | Outcome> {
  try {
    await parse(client, probe);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return failed(error.code ?? '', error.message, probe.text);
  }
  const found = await runPlain(client, {
    text: "SELECT parameter_types::oid[] FROM pg_prepared_statements WHERE name = 'probe'",
  });
  await client.query('DEALLOCATE probe');
  const text = found.kind === 'rows' ? (found.rows[0]?.[0] ?? '{}') : '{}';
  return text
    .replace(/[{}]/g, '')
    .split(',')
    .filter((oid) => oid !== '')
    .map(Number);
}

function parse(client: Client, probe: Probe): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({
      submit(connection: Connection) {
        // The declared type says text; what is written are numbers.
        const types = probe.parameterTypes as unknown as string[];
        connection.parse({ name: 'probe', text: probe.text, types }, false);
        connection.sync();
      },
      handleError: reject,
      handleReadyForQuery: () => resolve(),
    } as unknown as Submittable);
  });
}

function reworded(outcome: Failed, lowered: Lowered): Failed {
  const found = lowered.errors.find(
    ({ when }) =>
      when.code === outcome.code &&
      (when.routine === undefined || when.routine === outcome.routine) &&
      outcome.message.includes(when.messageIncludes ?? ''),
  );
  const { code = outcome.code, message = outcome.message } = (found?.fields ?? {}) as ErrorWords;
  return failed(code, message, outcome.sent);
}

type Failed = Extract<Outcome, { kind: 'error' }>;
type ErrorWords = { readonly code?: string; readonly message?: string };

const asText = { getTypeParser: () => (value: string | Buffer) => String(value) };

export async function runPlain(client: Client, step: Step): Promise<Outcome> {
  try {
    const result = await client.query<(string | null)[]>({
      text: step.text,
      rowMode: 'array',
      types: asText,
      ...(step.values === undefined ? {} : { values: [...step.values] }),
    });
    return {
      kind: 'rows',
      columns: result.fields.map(({ name, dataTypeID }) => `${name}:${dataTypeID}`),
      rows: result.rows,
      sent: step.text,
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code = 'lost', routine = '' } = error as { code?: string; routine?: string };
    return { ...failed(code, error.message, step.text), routine };
  }
}
