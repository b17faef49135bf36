import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../samples.ts';
import { type Backlog, makeBacklog, placeOf } from './backlog.ts';
import type { CaptureServer } from './capture-server.ts';
import { findProgram } from './find-program.ts';
import { warmPageCache } from './page-cache.ts';
import { attempt, measured, type Part, type PartRun, ProgramMissing } from './part.ts';
import { type Received, receive } from './receiver.ts';
import { runRecvlogical } from './recvlogical.ts';
import { type Workload, workloads } from './workloads.ts';

const rateLimit = 0.8;
const memoryLimitMb = 300;
const megabyte = 2 ** 20;

/** A backlog behind a slot, into our log and into a file of pg_recvlogical, until the same LSN. */
export const slotToLog: Part = {
  names: workloads(1).map(nameOf),
  async run({ server, options, report }) {
    for (const workload of workloads(options.rows)) {
      const name = nameOf(workload);
      if (!options.names.includes(name)) continue;
      await attempt([name], report, () => measure({ server, options, report }, workload));
    }
  },
};

function nameOf({ name }: Pick<Workload, 'name'>): string {
  return `slot to log: ${name}`;
}

type OurRun = Received & { readonly anonymousBytesMax: number };

async function measure({ server, options, report }: PartRun, workload: Workload): Promise<void> {
  if (findProgram('pg_recvlogical') === undefined) {
    throw new ProgramMissing('there is no pg_recvlogical on this machine');
  }
  const name = nameOf(workload);
  const backlog = await makeBacklog(server, workload);
  const ours: OurRun[] = [];
  const peers: Omit<Received, 'count'>[] = [];
  try {
    for (let run = 0; run < options.runs; run += 1) {
      ours.push(await intoLog(server, backlog));
      peers.push(await intoFile(server, backlog));
    }
  } finally {
    await backlog.drop();
  }
  const { changes } = workload;
  // One more may be in the log: the transaction that tells a reader that this is the end.
  const wrong = ours.find(({ count }) => count !== changes && count !== changes + 1);
  if (wrong !== undefined) {
    const detail = `the log has ${wrong.count} changes, there were ${changes}`;
    report({ outcome: 'differs', name, detail });
    return;
  }
  const rate = ({ ms }: { readonly ms: number }): number => changes / (ms / 1000);
  const cpu = (runs: readonly { readonly cpuSeconds: number }[]): string =>
    median(runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2);
  report(
    measured({
      name,
      unit: 'changes/s',
      ours: ours.map(rate),
      peer: { label: 'pg_recvlogical', values: peers.map(rate) },
      limit: { of: 'ratio', is: 'at least', value: rateLimit },
      remark: `CPU ${cpu(ours)} s, peer ${cpu(peers)} s`,
      details: { changes, walBytes: backlog.walBytes, ours, peers },
    }),
  );
  report(
    measured({
      name: `${name}, memory`,
      unit: 'MB',
      ours: [Math.max(...ours.map(({ anonymousBytesMax }) => anonymousBytesMax)) / megabyte],
      limit: { of: 'ours', is: 'at most', value: memoryLimitMb },
      remark: 'the most of any run',
    }),
  );
}

function intoLog(server: CaptureServer, backlog: Backlog): Promise<OurRun> {
  return inDirectory(server, backlog, (directory, slot) =>
    receive({ ...placeOf(backlog), way: 'log', slot, directory }, () =>
      warmPageCache(directory, backlog.walBytes),
    ),
  );
}

function intoFile(server: CaptureServer, backlog: Backlog): Promise<Omit<Received, 'count'>> {
  return inDirectory(server, backlog, async (directory, slot) => {
    await warmPageCache(directory, backlog.walBytes);
    return runRecvlogical(backlog, { slot, directory });
  });
}

async function inDirectory<T>(
  server: CaptureServer,
  backlog: Backlog,
  use: (directory: string, slot: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(server.directory, 'received-'));
  try {
    return await backlog.withSlot((slot) => use(directory, slot));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
