import type { Client } from 'pg';
import type { Change, TableVersion, Tuple } from '../../contracts/change.ts';

type RowValues = ReadonlyMap<string, string | null>;

type ReplayedTable = {
  version: TableVersion;
  /** By key, by the whole row, or by number: as the replica identity allows. */
  readonly rows: Map<string, { values: RowValues; count: number }>;
};

/**
 * What tables hold if nothing but the changes of a log is known of them: every change is applied to
 * what there was before, and must fit.
 */
export class ReplayedTables {
  readonly #tables: Map<number, ReplayedTable> = new Map();
  readonly #altered: Set<number> = new Set();
  /** Rows that are found by all of their columns are not found any more when these have changed. */
  readonly #unknown: Set<number> = new Set();
  readonly complaints: string[] = [];

  apply(change: Change): void {
    const { operation, table: version, before, after, schemaChange } = change;
    if (schemaChange !== undefined) {
      if (schemaChange.command === 'DROP TABLE') this.#tables.delete(schemaChange.tableOid);
      if (schemaChange.command === 'ALTER TABLE') this.#altered.add(schemaChange.tableOid);
      return;
    }
    if (version === undefined) return;
    if (version.replicaIdentity === 'full' && this.#altered.has(version.oid)) {
      this.#unknown.add(version.oid);
    }
    if (this.#unknown.has(version.oid)) return;
    const table = this.#table(version);
    switch (operation) {
      case 'TRUNCATE':
        table.rows.clear();
        return;
      case 'INSERT':
        this.#add(table, valuesOf(version, after));
        return;
      case 'UPDATE': {
        const old = this.#take(table, valuesOf(version, before ?? after));
        // What the change does not say is what was there.
        this.#add(table, new Map([...(old ?? []), ...valuesOf(version, after)]));
        return;
      }
      default:
        this.#take(table, valuesOf(version, before));
    }
  }

  /** What differs from the tables that are there. The session must print values as the log does. */
  async compare(client: Client): Promise<string[]> {
    const differences: string[] = [];
    const { rows } = await client.query<{ oid: number; name: string }>(
      `SELECT c.oid, c.oid::regclass::text AS name FROM pg_class AS c
         JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = 'public'`,
    );
    for (const { oid, name } of rows) {
      if (this.#unknown.has(oid)) continue;
      const result = await client.query<(string | null)[]>({
        text: `SELECT * FROM ${name}`,
        rowMode: 'array',
        types: { getTypeParser: () => (text: string) => text },
      });
      const columns = result.fields.map((field) => field.name);
      const there = result.rows.map((row) => new Map(columns.map((c, i) => [c, row[i] ?? null])));
      differences.push(...this.#differences(this.#tables.get(oid), { name, columns, there }));
    }
    return differences;
  }

  #differences(
    table: ReplayedTable | undefined,
    actual: {
      readonly name: string;
      readonly columns: readonly string[];
      readonly there: readonly RowValues[];
    },
  ): string[] {
    const ours = [...(table?.rows.values() ?? [])].flatMap(({ values, count }) =>
      Array.from({ length: count }, () => values),
    );
    // Columns that were renamed or dropped since, or are younger than a row, are not compared.
    const shared = actual.columns.filter((name) => ours.every((row) => row.has(name)));
    const print = (row: RowValues): string =>
      JSON.stringify(shared.map((name) => row.get(name) ?? null));
    const counts = new Map<string, number>();
    for (const row of actual.there) counts.set(print(row), (counts.get(print(row)) ?? 0) + 1);
    for (const row of ours) counts.set(print(row), (counts.get(print(row)) ?? 0) - 1);
    const wrong = [...counts].filter(([, count]) => count !== 0);
    return wrong
      .slice(0, 3)
      .map(([row, count]) => `${actual.name}: ${count > 0 ? 'missing' : 'too many'} ${row}`);
  }

  #table(version: TableVersion): ReplayedTable {
    let table = this.#tables.get(version.oid);
    if (table === undefined) {
      table = { version, rows: new Map() };
      this.#tables.set(version.oid, table);
    } else if (identity(version) !== identity(table.version)) {
      // Found by something else from now on.
      const rows = [...table.rows.values()];
      table.version = version;
      table.rows.clear();
      for (const { values, count } of rows) {
        for (let n = 0; n < count; n += 1) this.#add(table, values);
      }
    } else table.version = version;
    return table;
  }

  #add({ version, rows }: ReplayedTable, values: RowValues): void {
    const key = keyOf(version, values) ?? `#${rows.size}`;
    const found = rows.get(key);
    if (found !== undefined && version.replicaIdentity !== 'full' && !key.startsWith('#')) {
      this.#complain(`${version.name} has a row ${key} already`);
    }
    rows.set(key, { values, count: (found?.count ?? 0) + 1 });
  }

  #take({ version, rows }: ReplayedTable, values: RowValues): RowValues | undefined {
    const key = keyOf(version, values);
    const found = key === undefined ? undefined : rows.get(key);
    if (key === undefined || found === undefined) {
      this.#complain(`${version.name} has no row ${key}`);
      return undefined;
    }
    if (found.count === 1) rows.delete(key);
    else found.count -= 1;
    return found.values;
  }

  #complain(what: string): void {
    if (this.complaints.length < 10) this.complaints.push(what);
  }
}

function identity(version: TableVersion): string {
  const keys = version.columns.filter(({ isKey }) => isKey).map(({ name }) => name);
  return version.replicaIdentity === 'full' ? 'full' : keys.join();
}

function keyOf(version: TableVersion, values: RowValues): string | undefined {
  if (version.replicaIdentity === 'full') {
    // Columns that are younger than a row are NULL in it.
    const said = [...values].filter(([, value]) => value !== null);
    return JSON.stringify(said.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  const keys = version.columns.filter(({ isKey }) => isKey);
  return keys.length === 0
    ? undefined
    : JSON.stringify(keys.map(({ name }) => values.get(name) ?? null));
}

function valuesOf(version: TableVersion, tuple: Tuple | undefined): RowValues {
  const values = new Map<string, string | null>();
  for (const [index, value] of (tuple ?? []).entries()) {
    if (value !== undefined) values.set(version.columns[index]!.name, value);
  }
  return values;
}
