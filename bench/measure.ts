import { against, median } from './samples.ts';
import type { Session } from './server.ts';
import type { Comparison, ComparisonResult, Statement } from './suite.ts';

/** Checks that both sides answer the same, then runs them in turn: ours, peer, ours, peer. */
export async function measure(
  session: Session,
  comparison: Comparison,
  runs: number,
): Promise<ComparisonResult> {
  const { name, ours, limit } = comparison;
  if (comparison.isSameQuestion) {
    const expected = await fingerprint(session, ours);
    for (const peer of comparison.peers) {
      const found = await fingerprint(session, peer);
      if (found === expected) continue;
      const detail = `${ours.label} answers ${expected}, ${peer.label} ${found}`;
      return { outcome: 'differs', name, detail };
    }
  }
  const warmUpsMs: Record<string, number> = {};
  for (const statement of [ours, ...comparison.peers]) {
    warmUpsMs[statement.label] = await time(session, statement);
  }
  const peer = comparison.peers.reduce((best, other) =>
    warmUpsMs[other.label]! < warmUpsMs[best.label]! ? other : best,
  );
  const samplesMs = { ours: [] as number[], peer: [] as number[] };
  for (let run = 0; run < runs; run += 1) {
    samplesMs.ours.push(await time(session, ours));
    samplesMs.peer.push(await time(session, peer));
  }
  const measuredPeer = against(peer.label, samplesMs);
  return {
    outcome: 'measured',
    name,
    unit: 'ms',
    limit: limit === undefined ? undefined : { of: 'ratio', is: 'at most', value: limit },
    isWithinLimit: limit === undefined || measuredPeer.ratio <= limit,
    ours: median(samplesMs.ours),
    peer: measuredPeer,
    samples: samplesMs,
    remark: '',
    details: { warmUpsMs, sql: { ours: wrapped(ours), peer: wrapped(peer) } },
  };
}

/** How many rows, and the sum of a hash of each: the same for the same rows in any order. */
async function fingerprint(session: Session, { sql }: Statement): Promise<string> {
  const { rows } = await session.query<{ count: string; sum: string }>(
    `SELECT count(*), sum(hashtextextended(answer::text, 0)) FROM (${sql}) AS answer`,
  );
  return `${rows[0]?.count} rows (${rows[0]?.sum})`;
}

/**
 * As long as the client waits for one row that every column of every row of the answer went into:
 * sending millions of rows would hide what computing them costs.
 */
async function time(session: Session, statement: Statement): Promise<number> {
  const text = wrapped(statement);
  const from = performance.now();
  await session.query(text);
  return performance.now() - from;
}

/** A column that nobody reads would not be computed. */
function wrapped({ sql, columns }: Statement): string {
  const read = columns.map((column) => `max(${column})`);
  return `SELECT ${['count(*)', ...read].join(', ')} FROM (${sql}) AS answer`;
}
