import { aggregates, conditions, havings, keys, windowAggregates } from './expressions.ts';
import type { Random } from './random.ts';
import {
  exactInterval,
  fixed,
  type Kind,
  type RandomWindow,
  randomWindow,
} from './random-window.ts';

/** One query written twice. Its rows come in a defined order only where `isOrdered`. */
export type QueryPair = {
  readonly ours: string;
  readonly oracle: string;
  readonly isOrdered: boolean;
  readonly values: readonly string[];
};

/** An entry of the select list; `{W}` is the window's start, `{E}` its end. */
type Target = {
  readonly text: string;
  readonly alias?: string;
  /** What the column is called without an alias, where only the client's text says it. */
  readonly name?: string;
};

/** How a query may reach the values around it. */
export type QueryOptions = {
  readonly kind?: Kind;
  readonly canBind: boolean;
  /** A further condition, such as one on a column of an outer query. */
  readonly outer?: string;
};

/** A grouped query over a random window, or a scalar TUMBLE without GROUP BY. */
export function randomQuery(random: Random, table: string, options: QueryOptions): QueryPair {
  const kind = options.kind ?? random.pick(['tumble', 'hop', 'hop', 'session'] as const);
  const window = randomWindow(random, kind, options);
  if (kind === 'tumble' && random.chance(0.2)) return scalarQuery(random, table, window, options);
  if (random.chance(0.12)) return tableQuery(random, table, window, options);
  return groupedQuery(random, table, window, options);
}

function groupedQuery(
  random: Random,
  table: string,
  window: RandomWindow,
  options: QueryOptions,
): QueryPair {
  const isSession = window.kind === 'session';
  const isSets = !isSession && random.chance(0.1);
  const isFirst = (key: string, at: number, all: readonly string[]) =>
    all.findIndex((each) => each.replace('t.', '') === key.replace('t.', '')) === at;
  const chosen = random.some(keys, random.pick([0, 0, 1, 1, 2])).filter(isFirst);
  const join = random.chance(0.2) ? random.pick([' JOIN', ' LEFT JOIN']) : '';
  const targets: Target[] = [windowTarget(random, window)];
  if (!isSets && random.chance(0.4)) targets.push({ text: '{E}', name: `${window.kind}_end` });
  for (const [index, key] of chosen.entries()) {
    if (random.chance(0.85)) targets.push({ text: key, alias: `key${index}` });
  }
  for (const aggregate of random.some(aggregates, random.between(0, 4)))
    targets.push({ text: aggregate });
  if (!isSets && !isSession && random.chance(0.12))
    targets.push({ text: random.pick(windowAggregates) });
  if (join !== '') targets.push({ text: "string_agg(lbl, ',' ORDER BY lbl)" });
  if (random.chance(0.15))
    targets.push({ text: 'sum(count(*)) OVER (ORDER BY {W})', alias: 'running' });
  if (random.chance(0.1))
    targets.push({ text: 'rank() OVER (PARTITION BY {W} ORDER BY count(*) DESC)' });
  if (random.chance(0.1)) targets.push({ text: "{W} + INTERVAL '1 hour'", alias: 'later' });
  if (isSets && chosen.length > 0) targets.push({ text: `grouping(${chosen[0]})` });
  const list = distinctNames(random.chance(0.7) ? targets : random.shuffled(targets));
  // Either edge in GROUP BY means the window.
  const edge = !isSets && random.chance(0.15) ? '{E}' : '{W}';
  const items = random.shuffled([edge, ...chosen]).map((item) => groupItem(random, item, list));
  const where = [options.outer, random.chance(0.4) ? randomCondition(random, window) : undefined]
    .filter((each) => each !== undefined)
    .map((each, _, all) => (all.length === 1 ? each : `(${each})`));
  const having = random.chance(0.2) ? ` HAVING ${random.pick(havings)}` : '';
  const group = isSets ? groupingSets(random, items) : items.join(', ');
  const order = orderBy(random, list, chosen, isSets);
  const both = (of: (target: Target) => string) => list.map(of).join(', ');
  const joined = join === '' ? '' : `${join} labels ON lk = t.k2`;
  const whereText = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
  const ours = `SELECT ${both(ourTarget)} FROM ${table} AS t${joined}${whereText} GROUP BY
    ${group}${having}${order.text}`;
  const source = isSession
    ? `FROM ${sessionSource(table, window, joined, whereText, chosen)} AS t`
    : `FROM ${rowsSource(table, window)} AS t${joined}${whereText}`;
  const ends = isSets ? '' : ', t.ws_, t.we_';
  const oracle = `SELECT ${both(oracleTarget)} ${source} GROUP BY
    ${group}${ends}${having}${order.text}`;
  return {
    ours: asClient(random, ours, window),
    oracle: asOracle(oracle),
    isOrdered: order.isTotal,
    values: window.values,
  };
}

/** Only TUMBLE is a scalar that may stand in WHERE. */
function randomCondition(random: Random, window: RandomWindow): string {
  const scalar = ["{W} > '1970-01-01 05:00' OR t.b", '{W} IS NOT NULL', 'NOT b AND {E} > {T}'];
  return random.pick(window.kind === 'tumble' ? [...conditions, ...scalar] : conditions);
}

function windowTarget(random: Random, window: RandomWindow): Target {
  if (random.chance(0.5)) return { text: '{W}', alias: random.pick(['w', 'start', '"Window"']) };
  return { text: '{W}', name: window.kind };
}

function ourTarget(target: Target): string {
  return target.alias === undefined ? target.text : `${target.text} AS ${target.alias}`;
}

function oracleTarget(target: Target): string {
  const name = target.alias ?? target.name;
  return name === undefined ? target.text : `${target.text} AS ${name}`;
}

/** Views and tables want every column to be called something else. */
function distinctNames(targets: readonly Target[]): Target[] {
  return targets.map((target, index) =>
    target.alias === undefined && target.name === undefined && index > 1
      ? { ...target, alias: `c${index}` }
      : target,
  );
}

function groupItem(random: Random, item: string, list: readonly Target[]): string {
  const at = list.findIndex((target) => target.text === item);
  const target = list[at];
  if (target === undefined) return item;
  if (random.chance(0.3)) return String(at + 1);
  return target.alias !== undefined && random.chance(0.4) ? target.alias : item;
}

function groupingSets(random: Random, items: readonly string[]): string {
  if (random.chance(0.3)) return `ROLLUP (${items.join(', ')})`;
  if (random.chance(0.3)) return `CUBE (${items.join(', ')})`;
  return `GROUPING SETS ((${items.join(', ')}), (${items[0]}), ())`;
}

function orderBy(
  random: Random,
  list: readonly Target[],
  chosen: readonly string[],
  isSets: boolean,
): { text: string; isTotal: boolean } {
  if (random.chance(0.5)) return { text: '', isTotal: false };
  const wanted = ['{W}', ...chosen];
  const parts = wanted.map((item) => {
    const at = list.findIndex((target) => target.text === item);
    const direction = random.pick(['', ' DESC', ' ASC NULLS FIRST', ' DESC NULLS LAST']);
    const alias = list[at]?.alias;
    if (at >= 0 && random.chance(0.4)) return `${at + 1}${direction}`;
    return `${alias !== undefined && random.chance(0.5) ? alias : item}${direction}`;
  });
  const limit = !isSets && random.chance(0.3) ? ` LIMIT ${random.between(1, 9)}` : '';
  return { text: ` ORDER BY ${parts.join(', ')}${limit}`, isTotal: !isSets };
}

/** Each row once per window it is in. */
function rowsSource(table: string, window: RandomWindow): string {
  return `(SELECT t.*, w.s AS ws_, w.e AS we_, ${window.instant} AS wt_ FROM ${table} AS t CROSS
    JOIN LATERAL ${window.windows} AS w)`;
}

/** Gaps and islands: a row more than the gap after the one before it begins an island. */
function sessionSource(
  table: string,
  window: RandomWindow,
  joined: string,
  where: string,
  chosen: readonly string[],
): string {
  const names = chosen.map((_, index) => `part${index}_`);
  const keyed = chosen.map((key, index) => `, ${key} AS part${index}_`).join('');
  const partition = (more: readonly string[]) => {
    const all = [...names, ...more];
    return all.length === 0 ? '' : `PARTITION BY ${all.join(', ')} `;
  };
  const given = where === '' ? '' : `(${where.slice(' WHERE '.length)}) AND `;
  const finite = ` WHERE ${given}isfinite(${window.instant})`;
  const labels = joined === '' ? '' : ', labels.*';
  const rows = `SELECT t.*${labels}, ${window.instant} AS wt_${keyed} FROM ${table} AS
    t${joined}${finite}`;
  const begins =
    `SELECT t.*, coalesce(oracle.micros(wt_) - oracle.micros(lag(wt_) OVER
      (${partition([])}ORDER BY wt_)) > ` +
    `${window.gapMicros}, true) AS begins_ FROM (${rows}) AS t`;
  const numbered = `SELECT t.*, count(*) FILTER (WHERE begins_) OVER (${partition([])}ORDER BY
    wt_) AS island_ FROM (${begins}) AS t`;
  const gap = exactInterval(fixed(window.gapMicros));
  return (
    `(SELECT t.*, min(wt_) OVER p AS ws_, max(wt_) OVER p + ${gap} AS we_ ` +
    `FROM (${numbered}) AS t WINDOW p AS (${partition(['island_'])}))`
  );
}

/** `FROM TUMBLE(TABLE ...)`: the rows themselves, or grouped by the window's columns. */
function tableQuery(
  random: Random,
  table: string,
  window: RandomWindow,
  options: QueryOptions,
): QueryPair {
  const partition =
    window.kind === 'session' && random.chance(0.6)
      ? random.pick(['k1', 'k2, k1', '(k2)'])
      : undefined;
  const isGrouped = random.chance(0.5);
  const list = isGrouped
    ? 'window_start, window_end, k2, count(*), sum(i4), max(t.s)'
    : `t.id, k1, ts, ${random.chance(0.5) ? 't.' : ''}window_start, window_end AS "end"`;
  const conditionTexts = [options.outer, ...(random.chance(0.4) ? [random.pick(conditions)] : [])];
  const where = conditionTexts.filter((each) => each !== undefined).map((each) => `(${each})`);
  const tail =
    (where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`) +
    (isGrouped ? ' GROUP BY window_start, window_end, k2' : '');
  const parts = partition?.replace(/[()]/g, '').split(', ') ?? [];
  const source =
    window.kind === 'session'
      ? sessionSource(table, window, '', '', parts)
      : rowsSource(table, window);
  return {
    ours: `SELECT ${list} FROM ${window.tableCall(table, partition)} AS t${tail}`,
    oracle: `SELECT ${list} FROM (SELECT t.*, ws_ AS window_start, we_ AS window_end FROM
      ${source} AS t) AS t${tail}`,
    isOrdered: false,
    values: window.values,
  };
}

const scalars: readonly Target[] = [
  { text: '{W}', name: 'tumble' },
  { text: '{E}', name: 'tumble_end' },
  { text: 'CASE WHEN isfinite({W}) THEN {E} - {W} END', alias: 'length' },
  { text: "coalesce({W}, '2000-01-01')" },
  { text: 'CASE WHEN t.b THEN {W} END', name: '"case"' },
  { text: '{W}::text', name: 'tumble' },
  { text: '({T} >= {W} AND {T} < {E}) IS NOT FALSE OR NOT isfinite({T})', alias: 'holds' },
  { text: 'count(*) OVER (PARTITION BY {W})', alias: 'together' },
  { text: 'ARRAY[{W}, {E}]', name: 'array' },
];

/** TUMBLE as a scalar: NULL for NULL, and an infinite time stays infinite. */
function scalarQuery(
  random: Random,
  table: string,
  window: RandomWindow,
  options: QueryOptions,
): QueryPair {
  // Of a date the difference is asked for as a number of days (docs/limitations.md).
  const possible = scalars.filter(({ alias }) => alias !== 'length' || !/\bd\b/.test(window.time));
  const targets = distinctNames([{ text: 't.id' }, ...random.some(possible, random.between(1, 3))]);
  const named = targets.map((target, index) => ({ ...target, alias: target.alias ?? `c${index}` }));
  const list = random.chance(0.5) && targets.length === 2 ? targets : named;
  const where = [
    options.outer,
    random.pick([undefined, '{W} IS NOT NULL', "{W} > '1990-01-01'", 't.b']),
  ]
    .filter((each) => each !== undefined)
    .map((each) => `(${each})`);
  const tail = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
  const order = random.chance(0.3) ? ' ORDER BY {W}, t.id' : '';
  const ours = `SELECT ${list.map(ourTarget).join(', ')} FROM ${table} AS t${tail}${order}`;
  const source =
    `(SELECT t.*, ${window.instant} AS wt_, coalesce(w.s, ${window.instant}) AS ws_,
      coalesce(w.e, ${window.instant}) AS we_ ` +
    `FROM ${table} AS t LEFT JOIN LATERAL ${window.windows} AS w ON true) AS t`;
  const oracle = `SELECT ${list.map(oracleTarget).join(', ')} FROM ${source}${tail}${order}`;
  return {
    ours: asClient(random, ours, window),
    oracle: asOracle(oracle),
    isOrdered: order !== '',
    values: window.values,
  };
}

/** The select list says the bare name, which is what the column is called after. */
function asClient(random: Random, text: string, window: RandomWindow): string {
  const group = text.search(/\sGROUP BY\s/);
  const [head, tail] = group < 0 ? [text, ''] : [text.slice(0, group), text.slice(group)];
  const start = random.pick(['', '', '_START'] as const);
  return `${head.replaceAll('{W}', window.call(''))}${tail.replaceAll('{W}', window.call(start))}`
    .replaceAll('{E}', window.call('_END'))
    .replaceAll('{T}', window.instant);
}

function asOracle(text: string): string {
  return text.replaceAll('{W}', 't.ws_').replaceAll('{E}', 't.we_').replaceAll('{T}', 't.wt_');
}
