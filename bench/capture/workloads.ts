/** What is done to a table `load`, so that it can be captured. */
export type Workload = {
  readonly name: string;
  /** Columns of the table, and how it is stored. */
  readonly columns: string;
  /** Changes that are committed. */
  readonly changes: number;
  /** Run in one session, in transactions of its own. */
  readonly sql: string;
};

/** Beside the number of small rows. */
const wideShare = 1 / 2;
const largeShare = 1.25;
const subtransactionRows = 1_000;

export function workloads(rows: number): readonly Workload[] {
  const large = Math.ceil((rows * largeShare) / subtransactionRows) * subtransactionRows;
  return [
    {
      name: 'small rows, 1 a transaction',
      columns: small,
      changes: rows,
      sql: inTransactions(rows, 1, smallValues),
    },
    {
      name: 'small rows, 100 a transaction',
      columns: small,
      changes: hundreds(rows),
      sql: inTransactions(hundreds(rows), 100, smallValues),
    },
    {
      name: 'rows of 2 kB, 100 a transaction',
      columns: wide,
      changes: hundreds(rows * wideShare),
      sql: inTransactions(hundreds(rows * wideShare), 100, wideValues),
    },
    {
      name: 'one large transaction',
      columns: small,
      changes: large,
      sql: `INSERT INTO load SELECT ${smallValues} FROM generate_series(1, ${large}) AS n`,
    },
    {
      name: 'one large transaction, rows of 2 kB',
      columns: wide,
      changes: hundreds(rows * wideShare),
      sql: `INSERT INTO load SELECT ${wideValues} FROM generate_series(1, ${hundreds(rows * wideShare)}) AS n`,
    },
    {
      name: 'one large transaction, a tenth of it rolled back',
      columns: small,
      changes: large - Math.floor(large / subtransactionRows / 10) * subtransactionRows,
      sql: inSubtransactions(large / subtransactionRows),
    },
  ];
}

/** About 60 bytes as text. */
const small = 'id bigint, note text';
const smallValues = "n, 'a note on row ' || n || ' which is not very long'";
/** Neither compressed nor moved out of the row: 2 kB go through everything. */
const wide = 'id bigint, note text STORAGE PLAIN';
const wideValues = "n, repeat('wide row ', 222)";

function hundreds(rows: number): number {
  return Math.max(1, Math.round(rows / 100)) * 100;
}

function inTransactions(rows: number, size: number, values: string): string {
  return `DO $$ BEGIN
    FOR from_row IN 1..${rows} BY ${size} LOOP
      INSERT INTO load SELECT ${values} FROM generate_series(from_row, from_row + ${size - 1}) AS n;
      COMMIT;
    END LOOP;
  END $$`;
}

function inSubtransactions(count: number): string {
  const [size, last] = [subtransactionRows, subtransactionRows - 1];
  return `DO $$ BEGIN
    FOR number IN 1..${count} LOOP
      BEGIN
        INSERT INTO load SELECT ${smallValues}
          FROM generate_series(number * ${size}, number * ${size} + ${last}) AS n;
        IF number % 10 = 0 THEN RAISE division_by_zero; END IF;
      EXCEPTION WHEN division_by_zero THEN NULL;
      END;
    END LOOP;
  END $$`;
}
