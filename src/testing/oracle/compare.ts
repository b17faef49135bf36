import type { Client } from 'pg';
import type { CasePair, Step } from './contexts.ts';
import { type Outcome, runPlain } from './rewriting-client.ts';

/** How the client's own text is run. */
export type RunOurs = (client: Client, step: Step) => Promise<Outcome>;

/** Runs both ways, each in a transaction that is rolled back; answers what differs. */
export async function comparePair(
  client: Client,
  pair: CasePair,
  runOurs: RunOurs,
): Promise<string | undefined> {
  const ours: Outcome[] = [];
  const oracle: Outcome[] = [];
  await client.query('BEGIN');
  for (const step of pair.oracle) await until(oracle, () => runPlain(client, step));
  await client.query('ROLLBACK; DEALLOCATE ALL; BEGIN');
  for (const step of pair.ours) await until(ours, () => runOurs(client, step));
  await client.query('ROLLBACK; DEALLOCATE ALL');
  const want = oracle.map((outcome) => shown(outcome, pair));
  const got = ours.map((outcome) => shown(outcome, pair));
  const at = want.findIndex((text, index) => text !== got[index]);
  if (at < 0 || isUnanswerable(ours[at])) return undefined;
  return [
    `ours:   ${textOf(pair.ours.slice(0, at + 1))}`,
    `values: ${JSON.stringify(pair.ours[at]?.values ?? [])}`,
    `sent:   ${ours[at]?.sent}`,
    `oracle: ${textOf(pair.oracle.slice(0, at + 1))}`,
    firstDifference(want[at] ?? '', got[at] ?? ''),
  ].join('\n');
}

/** Calendar windows cannot be written without knowing the type of the time. */
export function isUnanswerable(outcome: Outcome | undefined): boolean {
  return (
    outcome?.kind === 'error' && outcome.isWithoutTypes === true && needsTypes.test(outcome.message)
  );
}

const needsTypes =
  /is not known here|cannot hold months or years here|cannot be binned into intervals containing/;

function textOf(steps: readonly Step[]): string {
  return steps.map(({ text }) => text).join(';\n');
}

/** Stops at the first error, as a transaction does. */
async function until(outcomes: Outcome[], run: () => Promise<Outcome>): Promise<void> {
  if (outcomes.at(-1)?.kind !== 'error') outcomes.push(await run());
}

function shown(outcome: Outcome, pair: CasePair): string {
  if (outcome.kind === 'error') return `ERROR ${outcome.code} ${outcome.message}`;
  if (pair.context === 'explain') return 'rows';
  const rows = outcome.rows.map((row) => row.map((value) => value ?? 'NULL').join(' | '));
  if (!pair.isOrdered) rows.sort();
  return [outcome.columns.join(' | '), ...rows].join('\n');
}

function firstDifference(want: string, got: string): string {
  const [wanted, gotten] = [want.split('\n'), got.split('\n')];
  const at = wanted.findIndex((line, index) => line !== gotten[index]);
  const line = at < 0 ? wanted.length : at;
  return (
    `${wanted.length - 1} rows wanted, ${gotten.length - 1} got; ` +
    `columns ${wanted[0]}; line ${line}\n` +
    `wanted: ${wanted[line] ?? '(nothing)'}\ngot:    ${gotten[line] ?? '(nothing)'}`
  );
}
