import { quoteLiteral } from '../../core/quoting.ts';
import { fixedMicros } from '../../sql/interval-literal.ts';
import type { Node } from '../../sql/parse-tree.ts';
import type { FromTables, TableColumn } from '../../sql/table-columns.ts';
import type { WindowCall } from '../../sql/window-call.ts';

/**
 * What one more row costs in the aggregation over slices, against one in row expansion: a sum of
 * sums has a bigger state than a sum (measured, docs/decisions/0008).
 */
const sliceRowCost = 1.5;

/**
 * An SQL expression that is true when slices of a HOP with other grouping columns hold so many rows
 * that combining slices is cheaper than expanding rows, by the statistics of the tables; NULL where
 * they do not tell. Undefined when there is nothing to ask.
 *
 * Of N rows in S slices with R windows per row, expansion aggregates N * R rows, slices N + S * R.
 *
 * @param keys the other grouping expressions
 */
export function denseSlicesSql(
  call: WindowCall,
  keys: readonly Node[],
  tables: FromTables,
): string | undefined {
  if (call.slide?.value === undefined || call.size.value === undefined) return undefined;
  const slide = Number(fixedMicros(call.slide.value)) / 1e6;
  const ratio = Number(fixedMicros(call.size.value)) / 1e6 / slide;
  if (!(slide > 0) || !(ratio > 1)) return undefined;
  const columns = [call.time.node, ...keys].map((node) => tables.columnsOf(node));
  if (columns.some((candidates) => candidates.length === 0)) return undefined;
  const least = (sliceRowCost * ratio) / (ratio - 1);
  return `SELECT rows_per_slice > ${least.toFixed(3)} FROM (${rowsPerSlice(columns, slide)}) AS known`;
}

/** The first column is the time, of which a slice takes `slide` seconds. */
function rowsPerSlice(columns: readonly (readonly TableColumn[])[], slide: number): string {
  const asked = columns.flatMap((candidates, place) =>
    candidates.map(
      ({ relation, column }) =>
        `(${place}, to_regclass(${quoteLiteral(relation)}), ${quoteLiteral(column)})`,
    ),
  );
  // Of what type the statistics are only the column tells, hence the CASE. As JSON times are ISO
  // with offsets in numbers; of the session's own style not every server reads every time back.
  const seconds = (type: string, length: string) =>
    `(SELECT ${length} FROM (SELECT value::${type} AS bound FROM json_array_elements_text(array_to_json(histogram_bounds)) AS value) AS bounds WHERE isfinite(bound))`;
  // The distance of two times can be more than an interval holds.
  const secondsBetween = 'extract(epoch FROM max(bound)) - extract(epoch FROM min(bound))';
  const span =
    'CASE atttypid ' +
    `WHEN 'timestamptz'::regtype THEN ${seconds('timestamptz', secondsBetween)} ` +
    `WHEN 'timestamp'::regtype THEN ${seconds('timestamp', secondsBetween)} ` +
    `WHEN 'date'::regtype THEN ${seconds('date', '(max(bound) - min(bound)) * 86400.0')} END`;
  const column =
    `SELECT place, reltuples::float8 AS rows, ` +
    'CASE WHEN n_distinct < 0 THEN -n_distinct * reltuples ELSE nullif(n_distinct, 0) END::float8 AS distinct_values, ' +
    `CASE WHEN place = 0 THEN ${span} END::float8 AS span ` +
    `FROM (VALUES ${asked.join(', ')}) AS asked (place, relation, attname) ` +
    'JOIN pg_catalog.pg_class ON pg_class.oid = asked.relation ' +
    'JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace ' +
    'JOIN pg_catalog.pg_attribute ON attrelid = relation AND pg_attribute.attname = asked.attname ' +
    'JOIN pg_catalog.pg_stats ON schemaname = nspname AND tablename = relname AND pg_stats.attname = asked.attname ' +
    'WHERE reltuples > 0';
  const slices =
    `least(max(span) FILTER (WHERE place = 0) / ${slide} + 1, max(distinct_values) FILTER (WHERE place = 0)) ` +
    '* exp(least(sum(ln(greatest(distinct_values, 1))) FILTER (WHERE place > 0), 100))';
  return (
    'SELECT max(rows) FILTER (WHERE place = 0) / ' +
    `least(max(rows) FILTER (WHERE place = 0), ${slices}) AS rows_per_slice ` +
    `FROM (SELECT place, max(rows) AS rows, max(distinct_values) AS distinct_values, max(span) AS span FROM (${column}) AS each GROUP BY place) AS best ` +
    `HAVING count(distinct_values) = ${columns.length}`
  );
}
