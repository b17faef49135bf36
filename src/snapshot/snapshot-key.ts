import { quoteIdentifier, quoteLiteral } from '../core/quoting.ts';

/** A column of the key by which a table is read in chunks. Names are ready for SQL, qualified. */
export type KeyColumn = {
  readonly name: string;
  /** Of a domain the type below it. */
  readonly type: string;
  readonly collation: string | null;
};

export type TableKey = {
  readonly columns: readonly KeyColumn[];
  /** `OPERATOR(schema.>)`, as the index has it: a search path could find another one. */
  readonly greater: string;
  readonly atMost: string;
  readonly equal: string;
};

/** The text of each key column. */
export type KeyValue = readonly string[];

/** Keys behind `after` up to and with `upTo`; null is the end of all keys on that side. */
export type KeyRange = {
  readonly after: KeyValue | null;
  readonly upTo: KeyValue | null;
};

/**
 * The condition for keys in the range. All comparing is Postgres's own, by the operators and the
 * collation of the index, which can answer it.
 */
export function rangeCondition(key: TableKey, { after, upTo }: KeyRange): string {
  const sides = [];
  const columns = rowOf(key.columns.map(columnOf));
  if (after !== null) sides.push(`${columns} ${key.greater} ${literalOf(key, after)}`);
  if (upTo !== null) sides.push(`${columns} ${key.atMost} ${literalOf(key, upTo)}`);
  return sides.length === 0 ? 'true' : sides.join(' AND ');
}

export function pointCondition(key: TableKey, value: KeyValue): string {
  return `${rowOf(key.columns.map(columnOf))} ${key.equal} ${literalOf(key, value)}`;
}

export function keyOrder(key: TableKey): string {
  return key.columns.map(columnOf).join(', ');
}

export function keyColumns(key: TableKey): string {
  return key.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
}

function columnOf({ name, collation }: KeyColumn): string {
  return collated(quoteIdentifier(name), collation);
}

function literalOf(key: TableKey, values: KeyValue): string {
  return rowOf(
    key.columns.map(({ type }, index) => `${quoteLiteral(values[index] ?? '')}::${type}`),
  );
}

function rowOf(items: readonly string[]): string {
  return items.length === 1 ? (items[0] as string) : `ROW(${items.join(', ')})`;
}

function collated(expression: string, collation: string | null): string {
  return collation === null ? expression : `${expression} COLLATE ${collation}`;
}

/**
 * A query that places keys among the upper bounds of chunks and finds those that were read again,
 * `$1` to `$n` being arrays of the text of each column, keys, bounds and points one after another.
 * One sort does it for all of them. It sorts bounds behind the keys that equal them, since a bound
 * belongs to its chunk. Answers for each key the number of bounds before it, and the number, from
 * 1, of the last point that equals it.
 */
export function placingQuery(key: TableKey, keys: number, bounds: number): string {
  const names = key.columns.map((_, index) => `k${index}`);
  const values = key.columns.map(({ type, collation }, index) =>
    collated(`CAST(v${index} AS ${type})`, collation),
  );
  const arrays = key.columns.map((_, index) => `$${index + 1}::pg_catalog.text[]`);
  return `
    SELECT bounds, point FROM (
      SELECT n,
             count(*) FILTER (WHERE kind = 1)
               OVER (ORDER BY ${names.join(', ')}, kind ROWS UNBOUNDED PRECEDING) AS bounds,
             max(n - ${keys + bounds}) FILTER (WHERE kind = 2)
               OVER (PARTITION BY ${names.join(', ')}) AS point
      FROM (
        SELECT n,
               CASE WHEN n <= ${keys} THEN 0 WHEN n <= ${keys + bounds} THEN 1 ELSE 2 END AS kind,
               ${values.map((value, index) => `${value} AS k${index}`).join(', ')}
        FROM unnest(${arrays.join(', ')}) WITH ORDINALITY
               AS given (${key.columns.map((_, index) => `v${index}`).join(', ')}, n)
      ) AS typed
    ) AS placed
    WHERE n <= ${keys} ORDER BY n`;
}
