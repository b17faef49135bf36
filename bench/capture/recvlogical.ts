import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Backlog, pgoutputOptions } from './backlog.ts';
import { findProgram } from './find-program.ts';
import type { Received } from './receiver.ts';

/**
 * Receives a backlog with pg_recvlogical into a file, which it syncs at the end and every ten
 * seconds. Its start and connecting are in the time, a few milliseconds.
 */
export async function runRecvlogical(
  backlog: Backlog,
  options: { readonly slot: string; readonly directory: string },
): Promise<Omit<Received, 'count'>> {
  const program = findProgram('pg_recvlogical');
  if (program === undefined) throw new Error('there is no pg_recvlogical');
  const args = [
    ...['--dbname', backlog.url, '--slot', options.slot, '--start'],
    ...['--startpos', backlog.start, '--endpos', backlog.end, '--no-loop'],
    ...['--file', join(options.directory, 'received')],
    ...Object.entries(pgoutputOptions).flatMap(([name, value]) => ['--option', `${name}=${value}`]),
  ];
  const from = performance.now();
  // Only a shell tells what its children have used.
  const child = spawn('/bin/sh', [
    '-c',
    '"$@"; ended=$?; times; exit $ended',
    'sh',
    program,
    ...args,
  ]);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const ms = performance.now() - from;
  if (code !== 0) throw new Error(`pg_recvlogical: ${output.trim()}`);
  return { ms, cpuSeconds: childSeconds(output) };
}

/** The second line of `times` is about the children: `0m0.560000s 0m0.100000s`. */
function childSeconds(output: string): number {
  const found = [...output.matchAll(/(\d+)m([\d.]+)s/g)].slice(-2);
  return found.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
}
