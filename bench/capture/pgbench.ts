import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './find-program.ts';
import { ProgramMissing } from './part.ts';

/** Of the table `accounts`. */
export const accountRows = 100_000;

const script = `\\set id random(1, ${accountRows})
SELECT balance FROM accounts WHERE id = :id;
`;
/** Which column of a line of pgbench's log is the time of a transaction, microseconds. */
const timeColumn = 2;

/** One client that selects one row after the other; how long each took, ms. */
export async function selectLatencies(
  url: string,
  options: { readonly directory: string; readonly seconds: number },
): Promise<readonly number[]> {
  const program = findProgram('pgbench');
  if (program === undefined) throw new ProgramMissing('there is no pgbench on this machine');
  const directory = await mkdtemp(join(options.directory, 'pgbench-'));
  try {
    const scriptFile = join(directory, 'select.sql');
    await writeFile(scriptFile, script);
    await promisify(execFile)(program, [
      ...['--no-vacuum', '--protocol=prepared', '--client=1', '--file', scriptFile],
      ...['--time', String(options.seconds)],
      ...['--log', '--log-prefix', join(directory, 'latencies')],
      url,
    ]);
    const logs = (await readdir(directory)).filter((name) => name.startsWith('latencies'));
    const texts = await Promise.all(logs.map((name) => readFile(join(directory, name), 'utf8')));
    const lines = texts.join('').trimEnd().split('\n');
    return lines.map((line) => Number(line.split(' ')[timeColumn]) / 1000);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
