import type { Client } from 'pg';
import { comparePair, type RunOurs } from './compare.ts';
import { randomCase } from './contexts.ts';
import { definition } from './definition.ts';
import { Random } from './random.ts';
import { randomTable } from './random-table.ts';

/** Queries over each random table; a case is a table with all of them. */
const queriesPerCase = 10;
/** A report of more differences than this is not read anyway. */
const differencesMax = 5;

const settings: readonly string[] = [
  ...["TimeZone = 'UTC'", "TimeZone = 'America/New_York'", "TimeZone = 'Asia/Kolkata'"],
  ...["TimeZone = 'Pacific/Apia'", "DateStyle = 'SQL, DMY'", "IntervalStyle = 'iso_8601'"],
];

export type Run = {
  readonly seed: number;
  readonly cases: number;
  /** How the client's own text is run in a case. */
  readonly runOurs: (random: Random) => RunOurs;
};

/** Compares random queries with their hand-written equivalents; answers what differs. */
export async function runCases(client: Client, run: Run): Promise<readonly string[]> {
  const differences: string[] = [];
  await client.query(definition);
  await client.query("SET statement_timeout = '20s'");
  await client.query('SET jit = off');
  for (let number = 0; number < run.cases; number += 1) {
    // A case depends on its own seed alone, so that HELIOSDB_SEED with one case repeats it.
    const seed = run.seed + number;
    const difference = await compareCase(client, new Random(seed), run);
    if (difference === undefined) continue;
    differences.push(`HELIOSDB_SEED=${seed} HELIOSDB_CASES=1\n${difference}`);
    if (differences.length === differencesMax) break;
  }
  return differences;
}

async function compareCase(client: Client, random: Random, run: Run): Promise<string | undefined> {
  const table = randomTable(random, 'facts', 60);
  for (const statement of table.statements) await client.query(statement);
  await client.query('RESET TimeZone; RESET DateStyle; RESET IntervalStyle');
  const setting = random.pick(settings);
  await client.query(`SET ${setting}`);
  for (let number = 0; number < queriesPerCase; number += 1) {
    const pair = randomCase(random, table.name);
    const difference = await comparePair(client, pair, run.runOurs(random));
    if (difference !== undefined) return `${pair.context}, ${setting}\n${difference}`;
  }
  return undefined;
}
