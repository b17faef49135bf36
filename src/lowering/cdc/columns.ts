/** What a client gets, in this order; the types are those of pg_catalog. */
export type ResultColumn = { readonly name: string; readonly type: string };

/** A change as SHOW CDC EVENTS shows it. The proxy hands over JSON objects with these keys. */
export const eventColumns: readonly ResultColumn[] = [
  { name: 'epoch', type: 'int4' },
  { name: 'lsn', type: 'pg_lsn' },
  { name: 'seq', type: 'int8' },
  { name: 'committed_at', type: 'timestamptz' },
  { name: 'xid', type: 'xid8' },
  { name: 'table_schema', type: 'text' },
  { name: 'table_name', type: 'text' },
  { name: 'operation', type: 'text' },
  { name: 'key', type: 'jsonb' },
  { name: 'before', type: 'jsonb' },
  { name: 'after', type: 'jsonb' },
  { name: 'unchanged', type: 'text[]' },
];

/** The columns of heliosdb.cdc_status. */
const statusColumns: readonly ResultColumn[] = [
  { name: 'database', type: 'name' },
  { name: 'state', type: 'text' },
  { name: 'slot', type: 'name' },
  { name: 'epoch', type: 'int4' },
  { name: 'node', type: 'text' },
  { name: 'log_start', type: 'pg_lsn' },
  { name: 'log_end', type: 'pg_lsn' },
  { name: 'confirmed', type: 'pg_lsn' },
  { name: 'lag_bytes', type: 'int8' },
  { name: 'retained_wal_bytes', type: 'int8' },
  { name: 'log_bytes', type: 'int8' },
  { name: 'changes', type: 'int8' },
  { name: 'readers', type: 'int4' },
  { name: 'error', type: 'text' },
  { name: 'hint', type: 'text' },
  { name: 'updated_at', type: 'timestamptz' },
];

/** The columns of heliosdb.cdc_tables. */
const tablesColumns: readonly ResultColumn[] = [
  { name: 'table_schema', type: 'name' },
  { name: 'table_name', type: 'name' },
  { name: 'operations', type: 'text[]' },
  { name: 'since', type: 'pg_lsn' },
  { name: 'excluded', type: 'text[]' },
  { name: 'problem', type: 'text' },
  { name: 'hint', type: 'text' },
];

/** The columns of heliosdb.cdc_readers. */
const readersColumns: readonly ResultColumn[] = [
  { name: 'reader', type: 'text' },
  { name: 'kind', type: 'text' },
  { name: 'enabled', type: 'bool' },
  { name: 'state', type: 'text' },
  { name: 'epoch', type: 'int4' },
  { name: 'lsn', type: 'pg_lsn' },
  { name: 'seq', type: 'int8' },
  { name: 'lag_bytes', type: 'int8' },
  { name: 'holds', type: 'bool' },
  { name: 'failing_since', type: 'timestamptz' },
  { name: 'error', type: 'text' },
  { name: 'hint', type: 'text' },
];

/** The columns of heliosdb.cdc_connectors. */
export const connectorsColumns: readonly ResultColumn[] = [
  { name: 'connector', type: 'text' },
  { name: 'type', type: 'text' },
  { name: 'state', type: 'text' },
  { name: 'owner', type: 'name' },
  { name: 'tables', type: 'text[]' },
  { name: 'options', type: 'jsonb' },
  { name: 'epoch', type: 'int4' },
  { name: 'lsn', type: 'pg_lsn' },
  { name: 'seq', type: 'int8' },
  { name: 'lag_bytes', type: 'int8' },
  { name: 'delivered', type: 'int8' },
  { name: 'retries', type: 'int8' },
  { name: 'error_code', type: 'text' },
  { name: 'error', type: 'text' },
  { name: 'hint', type: 'text' },
  { name: 'updated_at', type: 'timestamptz' },
];

/** What a SHOW CDC reads, and what its rows are ordered by. */
export const cdcViews: Readonly<
  Record<
    'status' | 'tables' | 'readers',
    {
      readonly relation: string;
      readonly columns: readonly ResultColumn[];
      readonly orderBy: readonly string[];
    }
  >
> = {
  status: { relation: 'cdc_status', columns: statusColumns, orderBy: ['database'] },
  tables: {
    relation: 'cdc_tables',
    columns: tablesColumns,
    orderBy: ['table_schema', 'table_name'],
  },
  readers: { relation: 'cdc_readers', columns: readersColumns, orderBy: ['reader'] },
};

export function namesOf(columns: readonly ResultColumn[]): string {
  return columns.map(({ name }) => name).join(', ');
}

/** A column definition list: the types whatever search_path says. */
export function definitionsOf(columns: readonly ResultColumn[]): string {
  return columns.map(({ name, type }) => `${name} pg_catalog.${type}`).join(', ');
}
