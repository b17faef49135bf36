import type { SnapshotState } from '../snapshot-state.ts';

/** The state of a snapshot of a table with the key `id`, but for what is given. */
export function stateOf(given: Partial<SnapshotState>): SnapshotState {
  const operator = (name: string): string => `OPERATOR(pg_catalog.${name})`;
  return {
    version: 1,
    epoch: 1,
    table: {
      oid: 1,
      schema: 'public',
      name: 't',
      isPartitioned: false,
      columns: [],
      key: {
        columns: [{ name: 'id', type: 'integer', collation: null }],
        greater: operator('>'),
        atMost: operator('<='),
        equal: operator('='),
      },
      keyless: null,
      leaves: [1],
      estimatedRows: 1000,
    },
    columns: 'all',
    where: null,
    inChunks: true,
    chunkRows: 100,
    start: null,
    endLsn: null,
    chunks: [],
    begun: null,
    points: [],
    rows: 0,
    passedRows: 0,
    ...given,
  };
}
