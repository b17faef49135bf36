import {
  judgePrerequisites,
  oldestMajor,
  type Prerequisite,
  windowsWillWork,
} from '../check/prerequisites.ts';
import { readUpstreamFacts } from '../check/upstream-facts.ts';
import type { Configuration } from '../config/configuration.ts';
import { accountForServer } from '../embedded-postgres/account.ts';
import { usableBinaries } from '../embedded-postgres/binaries.ts';

/** Prints a line per prerequisite; the exit code is 0 when windows will work. */
export async function check(configuration: Configuration): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (configuration.upstream === undefined) {
    const { dataDirectory } = configuration;
    const binaries = await usableBinaries({ account: accountForServer(), dataDirectory });
    const version = binaries.version.replace(/(?:\.0)?-.*/, '');
    say(`ok      embedded Postgres ${version} runs here; check yours with --upstream`);
    return 0;
  }
  const facts = await readUpstreamFacts(configuration.upstream);
  const prerequisites = judgePrerequisites(configuration.upstream, facts);
  for (const prerequisite of prerequisites) say(printPrerequisite(prerequisite));
  say('');
  const isComplete = facts.server !== undefined;
  for (const line of printVerdict(prerequisites, isComplete)) say(line);
  return windowsWillWork(prerequisites) ? 0 : 1;
}

function printPrerequisite({ state, name, found, mend }: Prerequisite): string {
  const label = state === 'capture' ? 'missing' : state;
  const purpose = state === 'capture' ? ' (only change capture needs it)' : '';
  const advice = mend === undefined ? '' : `; to mend: ${mend}`;
  return `${label.padEnd(8)}${name}: ${found}${purpose}${advice}`;
}

function printVerdict(prerequisites: readonly Prerequisite[], isComplete: boolean): string[] {
  if (!windowsWillWork(prerequisites)) return ['windows will not work'];
  if (!isComplete) {
    return [
      `windows will work if the server is Postgres ${oldestMajor} or newer`,
      'the rest is looked at when the URL has the password',
    ];
  }
  const lacking = prerequisites.filter(({ state }) => state === 'capture');
  if (lacking.length === 0) return ['windows and change capture will work'];
  return ['windows will work', 'change capture will not, until what is missing is mended'];
}
