import type { Change } from '../contracts/change.ts';
import type { LogReader, ReadForward } from '../contracts/log-reader.ts';

/** Every change and schema change behind a place that is in the log now, and where to go on. */
export async function readToEnd(
  reader: LogReader,
  from: ReadForward['from'],
): Promise<{ readonly changes: Change[]; readonly next: ReadForward['from'] }> {
  const changes: Change[] = [];
  let next = from;
  for (;;) {
    const wanted = { tables: 'all', schemaChanges: true, changesMax: 1_000 } as const;
    const batch = await reader.read({ from: next, ...wanted });
    changes.push(...batch.changes);
    next = { kind: 'after', position: batch.through };
    if (batch.isAtEnd) return { changes, next };
  }
}
