import type { Statement } from '../suite.ts';
import { firstInstant } from './events-table.ts';

/** What a windowed question asks besides its window. */
export type Question = {
  /** A further column to group by. */
  readonly key?: string;
  /** How much of the week is asked for, as an interval; all of it when left out. */
  readonly range?: string;
  readonly aggregates?: Aggregates;
};

/** Aggregates by the name of their column. */
export type Aggregates = Readonly<Record<string, string>>;

/** The cheapest ones, which hide least of what windows cost. */
const cheapAggregates: Aggregates = { c: 'count(*)', s: 'sum(value)' };

/** The windowed statement for HeliosDB. */
export function windowed(window: string, question: Question): Statement {
  return grouped({ label: window, window, from: 'events', ...question });
}

/** TUMBLE by hand. */
export function byDateBin(size: string, question: Question): Statement {
  return grouped({ label: 'date_bin', window: bin(size), from: 'events', ...question });
}

/** TUMBLE of one day in a time zone by hand. */
export function byDateTrunc(zone: string, question: Question): Statement {
  const window = `date_trunc('day', ts, '${zone}')`;
  return grouped({ label: 'date_trunc', window, from: 'events', ...question });
}

/**
 * HOP by hand: each row once per window it is in. Which form is faster depends on the number of
 * groups: of a series of times the planner does not know how long it is.
 */
export function byExpansion(
  hop: { readonly sizeMinutes: number; readonly slideMinutes: number },
  question: Question,
): [Statement, Statement] {
  const [size, slide] = [minutes(hop.sizeMinutes), minutes(hop.slideMinutes)];
  const back = Math.ceil(hop.sizeMinutes / hop.slideMinutes) - 1;
  const isMultiple = hop.sizeMinutes % hop.slideMinutes === 0;
  const first = `${bin(slide)} - ${minutes(back * hop.slideMinutes)}`;
  return [
    grouped({
      label: 'expansion, series of times',
      window: 'start',
      from: `events CROSS JOIN LATERAL generate_series(${first}, ${bin(slide)}, ${slide}) AS start`,
      ...(isMultiple ? {} : { filter: `ts < start + ${size}` }),
      ...question,
    }),
    grouped({
      label: 'expansion, series of steps',
      window: 'last - back',
      from:
        '(SELECT ts, key1, key100, key100k, value, amount, ' +
        `${bin(slide)} AS last FROM events OFFSET 0) AS event CROSS JOIN ` +
        `(SELECT n * ${slide} AS back FROM generate_series(0, ${back}) AS n OFFSET 0) AS step`,
      ...(isMultiple ? {} : { filter: `ts < last - back + ${size}` }),
      ...question,
    }),
  ];
}

/** SESSION by hand: gaps and islands. */
export function byIslands(gap: string, question: Question & { readonly key: string }): Statement {
  const order = `PARTITION BY ${question.key} ORDER BY ts`;
  const near = `ts - lag(ts) OVER (${order}) <= ${gap}`;
  const rows =
    `SELECT ts, ${question.key}, value, CASE WHEN ${near} THEN 0 ELSE 1 END AS opens ` +
    `FROM events${where([rangeFilter(question)])}`;
  const islands =
    `SELECT ts, ${question.key}, value, ` +
    `sum(opens) OVER (${order} ROWS UNBOUNDED PRECEDING) AS island FROM (${rows}) AS marked`;
  const { range: _inside, ...outside } = question;
  return grouped({
    label: 'gaps and islands',
    window: 'min(ts)',
    windowKey: 'island',
    from: `(${islands}) AS numbered`,
    ...outside,
  });
}

export function minutes(count: number): string {
  return `INTERVAL '${count} minute${count === 1 ? '' : 's'}'`;
}

function bin(size: string): string {
  return `date_bin(${size}, ts, TIMESTAMPTZ 'epoch')`;
}

type Grouped = Question & {
  readonly label: string;
  /** The start of the window of a row. */
  readonly window: string;
  /** What to group by where that is not the start. */
  readonly windowKey?: string;
  readonly from: string;
  readonly filter?: string;
};

function grouped(query: Grouped): Statement {
  const { label, window, windowKey, from, filter, key } = query;
  const answers: [column: string, sql: string][] = [
    ['w', window],
    ...(key === undefined ? [] : ([['k', key]] as [string, string][])),
    ...Object.entries(query.aggregates ?? cheapAggregates),
  ];
  const list = answers.map(([column, sql]) => `${sql} AS ${column}`).join(', ');
  const groups = [windowKey ?? 'w', ...(key === undefined ? [] : ['k'])].join(', ');
  const conditions = where([rangeFilter(query), filter]);
  return {
    label,
    sql: `SELECT ${list} FROM ${from}${conditions} GROUP BY ${groups}`,
    columns: answers.map(([column]) => column),
  };
}

function rangeFilter({ range }: Question): string | undefined {
  return range === undefined ? undefined : `ts < ${firstInstant} + INTERVAL '${range}'`;
}

function where(conditions: readonly (string | undefined)[]): string {
  const given = conditions.filter((condition) => condition !== undefined);
  return given.length === 0 ? '' : ` WHERE ${given.join(' AND ')}`;
}
