import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { defaultRuns } from './command-line.ts';
import type { MachineFacts } from './machine.ts';
import type { ComparisonResult, ServerFacts, Suite, SuiteOptions } from './suite.ts';
import { cells } from './table.ts';

export type Report = {
  readonly suite: Suite;
  readonly startedAt: string;
  readonly options: SuiteOptions;
  readonly machine: MachineFacts;
  readonly server: ServerFacts;
  readonly results: readonly ComparisonResult[];
};

/** The figures of a run for people to read, with the command that takes them again. */
export function markdownFigures(report: Report): string {
  const { machine, server, options } = report;
  const settings = Object.entries(server.settings).map(([name, value]) => `${name} ${value}`);
  const facts = [
    `Taken on ${report.startedAt.slice(0, 10)} by`,
    '',
    `    ${command(report)}`,
    '',
    `- ${machine.processor}, ${machine.cores} cores, ${gigabytes(machine.memoryBytes)} GB, ` +
      `${machine.platform}; load average before: ${machine.loadAverage.toFixed(2)}`,
    `- HeliosDB ${machine.heliosdb}, Node ${machine.node}, ${productOf(server.version)}` +
      `${server.isEmbedded ? ' (embedded)' : ''}`,
    `- ${settings.join(', ')}`,
    `- ${options.rows} rows; medians of ${options.runs} runs`,
  ];
  const { columns } = report.suite;
  const rows = report.results
    .filter((result) => result.outcome === 'measured')
    .map((result) => cells(columns, result));
  const rules = columns.map(({ holds }) => (holds === 'words' ? '---' : '---:'));
  const table = [columns.map(({ title }) => title), rules, ...rows];
  return [...facts, '', ...table.map((texts) => `| ${texts.join(' | ')} |`)].join('\n');
}

/** Puts the figures between the two remarks that name the suite; the rest stays as it is. */
export async function replaceFigures(file: string, suite: string, figures: string): Promise<void> {
  const [begin, end] = [`<!-- figures of ${suite}: begin -->`, `<!-- figures of ${suite}: end -->`];
  const text = await readFile(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  assert.ok(from >= 0 && to > from, `${file} has no place between "${begin}" and "${end}"`);
  const kept = [text.slice(0, from + begin.length), text.slice(to)];
  await writeFile(file, kept.join(`\n\n${figures}\n\n`));
}

function command({ suite, options }: Report): string {
  const flags = [
    ...(options.rows === suite.defaultRows ? [] : [`--rows ${options.rows}`]),
    ...(options.runs === defaultRuns ? [] : [`--runs ${options.runs}`]),
    ...(options.upstream === undefined ? [] : ['--upstream URL']),
  ];
  return ['npm run bench --', suite.name, ...flags].join(' ');
}

/** `PostgreSQL 18.4` of a sentence that goes on with compilers. */
function productOf(version: string): string {
  return /^\w+ [\w.]+/.exec(version)?.[0] ?? version;
}

function gigabytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(0);
}
