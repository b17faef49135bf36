import { measure } from '../measure.ts';
import { type Server, startServer } from '../server.ts';
import type {
  Column,
  Comparison,
  ComparisonResult,
  Suite,
  SuiteOptions,
  SuiteRun,
} from '../suite.ts';
import { printFigure, verdictColumns } from '../table.ts';
import { windowComparisons } from './comparisons.ts';
import { createEvents, dropEvents } from './events-table.ts';

/** How long one measured statement may take, ms. */
const statementMsMax = 180_000;
/** The same for writing the rows. */
const loadMsMax = 1_800_000;

const columns: readonly Column[] = [
  { title: 'HeliosDB', width: 42, holds: 'words', cell: ({ name }) => name },
  { title: 'against', width: 26, holds: 'words', cell: ({ peer }) => peer?.label ?? '' },
  { title: 'ours ms', width: 9, holds: 'figures', cell: ({ ours }) => printFigure(ours) },
  { title: 'peer ms', width: 9, holds: 'figures', cell: ({ peer }) => printFigure(peer?.value) },
  ...verdictColumns,
];

export const windowsSuite: Suite = {
  name: 'windows',
  about: 'TUMBLE, HOP and SESSION beside the SQL an expert writes by hand',
  defaultRows: 2_000_000,
  quickRows: 100_000,
  columns,
  names: () => windowComparisons().map(({ name }) => name),
  run,
};

async function run(
  options: SuiteOptions,
  report: (result: ComparisonResult) => void,
): Promise<SuiteRun> {
  const comparisons = windowComparisons().filter(({ name }) => options.names.includes(name));
  const schema = `heliosdb_bench_${process.pid}`;
  const server = await startServer(options.upstream);
  try {
    const facts = await server.facts();
    const results: ComparisonResult[] = [];
    try {
      await server.withSession(loadMsMax, (session) =>
        createEvents(session, { schema, rows: options.rows }),
      );
      for (const comparison of comparisons) {
        const result = await attempt({ server, schema, comparison, runs: options.runs });
        report(result);
        results.push(result);
      }
    } finally {
      // An embedded server goes with all it has.
      if (options.upstream !== undefined) await tidyUp(server, schema);
    }
    return { server: facts, results };
  } finally {
    await server.stop();
  }
}

/** Never throws: what went wrong before is what has to be told. */
async function tidyUp(server: Server, schema: string): Promise<void> {
  try {
    await server.withSession(loadMsMax, (session) => dropEvents(session, schema));
  } catch {
    process.stderr.write(`schema ${schema} may be left behind\n`);
  }
}

/** In a session of its own, so that what one leaves behind is not in the figures of the next. */
async function attempt(options: {
  readonly server: Server;
  readonly schema: string;
  readonly comparison: Comparison;
  readonly runs: number;
}): Promise<ComparisonResult> {
  const { server, schema, comparison, runs } = options;
  try {
    return await server.withSession(statementMsMax, async (session) => {
      await session.query(`SET search_path = ${schema}`);
      return measure(session, comparison, runs);
    });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { outcome: 'failed', name: comparison.name, detail };
  }
}
