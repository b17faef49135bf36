import type { Column, ComparisonResult, Suite, SuiteOptions, SuiteRun } from '../suite.ts';
import { printFigure, verdictColumns } from '../table.ts';
import { startCaptureServer } from './capture-server.ts';
import { latency } from './latency.ts';
import type { Part } from './part.ts';
import { passThrough } from './pass-through.ts';
import { replicationConnection } from './replication-connection.ts';
import { showEvents } from './show-events.ts';
import { slotToLog } from './slot-to-log.ts';

const parts: readonly Part[] = [slotToLog, replicationConnection, latency, passThrough, showEvents];

const columns: readonly Column[] = [
  { title: 'measured', width: 62, holds: 'words', cell: ({ name }) => name },
  { title: 'against', width: 22, holds: 'words', cell: ({ peer }) => peer?.label ?? '' },
  { title: 'unit', width: 10, holds: 'words', cell: ({ unit }) => unit },
  { title: 'ours', width: 7, holds: 'figures', cell: ({ ours }) => printFigure(ours) },
  { title: 'peer', width: 7, holds: 'figures', cell: ({ peer }) => printFigure(peer?.value) },
  ...verdictColumns,
  { title: '', width: 0, holds: 'words', cell: ({ remark }) => remark },
];

export const captureSuite: Suite = {
  name: 'capture',
  about: 'from the slot to the change log, and from there to whoever asks',
  defaultRows: 400_000,
  quickRows: 20_000,
  columns,
  names: () => parts.flatMap(({ names }) => names),
  run,
};

async function run(
  options: SuiteOptions,
  report: (result: ComparisonResult) => void,
): Promise<SuiteRun> {
  const server = await startCaptureServer(options.upstream);
  try {
    const facts = await server.facts();
    const results: ComparisonResult[] = [];
    for (const part of parts) {
      if (!part.names.some((name) => options.names.includes(name))) continue;
      await part.run({
        server,
        options,
        report(result) {
          report(result);
          results.push(result);
        },
      });
    }
    return { server: facts, results };
  } finally {
    await server.stop();
  }
}
