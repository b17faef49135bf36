import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Invocation, parseCommandLine, usage } from './command-line.ts';
import { machineFacts } from './machine.ts';
import { markdownFigures, type Report, replaceFigures } from './markdown.ts';
import { suites } from './suites.ts';
import { tableHead, tableRow } from './table.ts';

const usageExitCode = 2;

/** `npm run bench -- SUITE [flags]` */
async function main(): Promise<number> {
  const invocation = parseCommandLine(process.argv.slice(2), suites);
  switch (invocation.kind) {
    case 'list':
      process.stdout.write(usage(suites));
      return 0;
    case 'mistake':
      process.stderr.write(`${invocation.message}\n\n${usage(suites)}`);
      return usageExitCode;
    case 'run':
      return run(invocation);
  }
}

/** Slow is no failure, that is for the reader to judge; a wrong answer is one. */
async function run(invocation: Invocation & { kind: 'run' }): Promise<number> {
  const { suite, options, jsonFile, markdownFile } = invocation;
  const machine = machineFacts();
  if (machine.loadAverage > machine.cores / 2) {
    process.stderr.write(
      `the load average is ${machine.loadAverage.toFixed(1)}: other work will be in the figures\n`,
    );
  }
  const startedAt = new Date().toISOString();
  process.stdout.write(tableHead(suite.columns));
  const { server, results } = await suite.run(options, (result) => {
    process.stdout.write(tableRow(suite.columns, result));
  });
  const report = { suite, startedAt, options, machine, server, results };
  await mkdir(dirname(jsonFile), { recursive: true });
  await writeFile(jsonFile, `${JSON.stringify(publicPart(report), undefined, 2)}\n`);
  process.stdout.write(`all samples are in ${jsonFile}\n`);
  const isSound = results.every(({ outcome }) => outcome === 'measured' || outcome === 'skipped');
  if (markdownFile !== undefined) {
    if (isSound) await replaceFigures(markdownFile, suite.name, markdownFigures(report));
    else process.stderr.write(`${markdownFile} stays as it is\n`);
  }
  return isSound ? 0 : 1;
}

/** The address of a server and its password are nobody else's business. */
function publicPart(report: Report): object {
  const options = { ...report.options, upstream: undefined };
  return { ...report, suite: report.suite.name, options };
}

try {
  process.exitCode = await main();
} catch (error) {
  // Most often a server that cannot be reached, or rows that cannot be written there.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
