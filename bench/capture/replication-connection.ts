import { median } from '../samples.ts';
import { makeBacklog, placeOf } from './backlog.ts';
import { attempt, measured, type Part } from './part.ts';
import { type Received, receive, type Way } from './receiver.ts';
import { workloads } from './workloads.ts';

const peers = {
  package: 'pg-logical-replication',
  driver: "pg's own parser",
} as const;

/** The comparison of docs/decisions/0010: who takes the stream of a slot apart. */
export const replicationConnection: Part = {
  names: Object.values(peers).map(nameOf),
  async run({ server, options, report }) {
    const wanted = (['package', 'driver'] as const).filter((way) =>
      options.names.includes(nameOf(peers[way])),
    );
    await attempt(
      wanted.map((way) => nameOf(peers[way])),
      report,
      async () => {
        const workload = workloads(options.rows).find(({ name }) =>
          name.startsWith('small rows, 100'),
        )!;
        const backlog = await makeBacklog(server, workload);
        const runs: Record<Way, Received[]> = { frames: [], package: [], driver: [], log: [] };
        try {
          for (let run = 0; run < options.runs; run += 1) {
            for (const way of ['frames', ...wanted] as const) {
              const received = await backlog.withSlot((slot) =>
                receive({ ...placeOf(backlog), way, slot, directory: server.directory }),
              );
              runs[way].push(received);
            }
          }
        } finally {
          await backlog.drop();
        }
        for (const way of wanted) {
          report(
            measured({
              name: nameOf(peers[way]),
              unit: 'messages/s',
              ours: runs.frames.map(rate),
              peer: { label: peers[way], values: runs[way].map(rate) },
              remark: `CPU ${cpu(runs.frames)} s, peer ${cpu(runs[way])} s`,
              details: { walBytes: backlog.walBytes, ours: runs.frames, peers: runs[way] },
            }),
          );
        }
      },
    );
  },
};

function nameOf(peer: string): string {
  return `replication connection, beside ${peer}`;
}

function rate({ count, ms }: Received): number {
  return count / (ms / 1000);
}

function cpu(runs: readonly Received[]): string {
  return median(runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2);
}
