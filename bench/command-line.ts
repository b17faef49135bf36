import { parseArgs } from 'node:util';
import type { Suite, SuiteOptions } from './suite.ts';

export const defaultRuns = 5;
/** Of `--quick`: enough to see that it runs. */
const quickRuns = 1;

export type Invocation =
  | { readonly kind: 'list' }
  | { readonly kind: 'mistake'; readonly message: string }
  | {
      readonly kind: 'run';
      readonly suite: Suite;
      readonly options: SuiteOptions;
      readonly jsonFile: string;
      readonly markdownFile: string | undefined;
    };

const flags = {
  rows: { type: 'string' },
  runs: { type: 'string' },
  only: { type: 'string', default: '' },
  json: { type: 'string' },
  markdown: { type: 'string' },
  upstream: { type: 'string' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

export function parseCommandLine(args: readonly string[], suites: readonly Suite[]): Invocation {
  const parsed = parseFlags(args);
  if (parsed instanceof Error) return mistake(parsed.message);
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'list' };
  const [name, ...others] = positionals;
  if (name === undefined) {
    return args.length === 0 ? { kind: 'list' } : mistake('a suite has to be named first');
  }
  const suite = suites.find((candidate) => candidate.name === name);
  if (suite === undefined) return mistake(`there is no suite "${name}"`);
  if (others.length > 0) return mistake(`one suite at a time, not also "${others.join(' ')}"`);
  const rows = count(values.rows, values.quick ? suite.quickRows : suite.defaultRows);
  const runs = count(values.runs, values.quick ? quickRuns : defaultRuns);
  if (rows === undefined || runs === undefined) {
    return mistake('--rows and --runs take whole numbers greater than zero');
  }
  if (values.markdown !== undefined && values.only !== '') {
    return mistake('--markdown quotes a whole suite, so it does not go with --only');
  }
  const wanted = values.only.toLowerCase();
  const names = suite.names().filter((candidate) => candidate.toLowerCase().includes(wanted));
  if (names.length === 0) {
    const known = suite.names().map((candidate) => `\n  ${candidate}`);
    return mistake(`no comparison has "${values.only}" in its name; there are${known.join('')}`);
  }
  return {
    kind: 'run',
    suite,
    options: { rows, runs, names, upstream: values.upstream },
    jsonFile: values.json ?? `bench-results/${suite.name}.json`,
    markdownFile: values.markdown,
  };
}

export function usage(suites: readonly Suite[]): string {
  const list = suites.map(({ name, about }) => `  ${name.padEnd(12)} ${about}\n`).join('');
  return `npm run bench -- SUITE [flags]

Suites
${list}
Flags
  --rows N         rows to generate
  --runs N         measured runs of each side (${defaultRuns})
  --quick          fewer rows and one run, to see that it works
  --only TEXT      comparisons with TEXT in their name
  --json FILE      where all samples go (bench-results/SUITE.json)
  --markdown FILE  replaces the figures in FILE
  --upstream URL   measures on this server instead of an embedded one
`;
}

type Parsed = ReturnType<typeof parseArgs<{ options: typeof flags; allowPositionals: true }>>;

function parseFlags(args: readonly string[]): Parsed | Error {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: true });
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

function mistake(message: string): Invocation {
  return { kind: 'mistake', message };
}

function count(text: string | undefined, standard: number): number | undefined {
  if (text === undefined) return standard;
  return /^[1-9]\d{0,11}$/.test(text) ? Number(text) : undefined;
}
