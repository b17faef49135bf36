import type { GroupedWindow } from '../../sql/grouped-window.ts';
import { fixedMicros } from '../../sql/interval-literal.ts';
import { type Pieces, template } from '../splice.ts';
import { type Decomposition, decompose, dependsOnType } from './decompose.ts';
import { groupColumns, rowsAlias, rowsTable, type WindowSource, windowsAlias } from './grouped.ts';
import { finiteRows, hopEnd, isCalendar, isMultiple, stepsTable } from './hop.ts';
import { hoursSql, intervalText, lengthSql, originSql, type TypedWindow } from './window-sql.ts';

/**
 * With other grouping columns a slice may hold one row, and then the slices cost what they save:
 * one more aggregation over all rows. Where nothing is known of the rows, they are taken from so
 * many windows per row on: expansion can be that many times slower, slices hardly twice.
 */
const windowsMinWithKeys = 8n;

/** Type OIDs of aggregate arguments, by aggregate index; 0 where not known. */
export type ArgumentTypes = readonly number[];

/** Whether it depends on the rows if a HOP is cheaper by slices than by expansion. */
export function dependsOnRows(grouped: GroupedWindow): boolean {
  if (isCalendar(grouped.window) || needsAllRows(grouped)) return false;
  return (
    groupColumns(grouped).length > 0 &&
    grouped.aggregates.every(
      ({ call }) =>
        call.plain &&
        (dependsOnType(call.name) || decompose(call.name, call.star, 0) !== undefined),
    )
  );
}

/**
 * HOP by slices: rows are aggregated once per slice, slices are combined into windows. Each slide
 * is cut at `size mod slide`, so that every window is a whole number of slices. Answers undefined
 * where an aggregate does not split exactly.
 *
 * @param isDense whether slices hold many rows; undefined when that is not known
 */
export function sliceHop(
  grouped: GroupedWindow,
  window: TypedWindow,
  types: ArgumentTypes,
  isDense: boolean | undefined,
): WindowSource | undefined {
  if (isCalendar(window.call) || needsAllRows(grouped)) return undefined;
  if (!(isDense ?? paysOff(grouped, window))) return undefined;
  const partials = new Partials();
  const aggregates = new Map<number, string>();
  for (const [index, { call, columns }] of grouped.aggregates.entries()) {
    const split = call.plain ? decompose(call.name, call.star, types[index] ?? 0) : undefined;
    const argument = call.star ? undefined : columns[0];
    if (split === undefined || (!call.star && argument === undefined)) return undefined;
    const filter = call.filter === undefined ? undefined : columns.at(-1);
    if (call.filter !== undefined && filter === undefined) return undefined;
    aggregates.set(index, partials.add(split, argument?.name, filter?.name));
  }
  const anchor = window.source.startOf(grouped.clauses.whole);
  return {
    table: template(`{0} AS ${windowsAlias}`, anchor, slicesTable(grouped, window, partials)),
    end: hopEnd(window, template(`${windowsAlias}.w`, anchor)),
    aggregates,
  };
}

/**
 * Whether something is computed over the rows that does not split. An aggregate over the window
 * itself differs between the windows of one slice.
 */
function needsAllRows(grouped: GroupedWindow): boolean {
  const readsWindow = grouped.windowUses.some((use) => use.place === 'aggregate');
  return grouped.hasGroupingSets || grouped.hasOtherAggregates || readsWindow;
}

function paysOff(grouped: GroupedWindow, window: TypedWindow): boolean {
  const { slide, size } = window.call;
  if (groupColumns(grouped).length === 0) return true;
  if (slide?.value === undefined || size.value === undefined) return true;
  return fixedMicros(size.value) / fixedMicros(slide.value) >= windowsMinWithKeys;
}

/** The aggregates per slice, each once however many aggregates of the query need it. */
class Partials {
  readonly #texts: string[] = [];

  /** Registers what one aggregate needs; answers its SQL over the slices. */
  add(split: Decomposition, argument: string | undefined, filter: string | undefined): string {
    const names = split.partials.map((partial) => {
      const value = partial.replaceAll('{x}', `${rowsAlias}.${argument}`);
      return this.#name(
        filter === undefined ? value : `${value} FILTER (WHERE ${rowsAlias}.${filter})`,
      );
    });
    return split.combined.replaceAll(
      /\{(\d)\}/g,
      (_, index) => `${windowsAlias}.${names[Number(index)]}`,
    );
  }

  get columns(): readonly { readonly name: string; readonly text: string }[] {
    return this.#texts.map((text, index) => ({ name: `p${index + 1}`, text }));
  }

  #name(text: string): string {
    let index = this.#texts.indexOf(text);
    if (index < 0) index = this.#texts.push(text) - 1;
    return `p${index + 1}`;
  }
}

function slicesTable(grouped: GroupedWindow, window: TypedWindow, partials: Partials): Pieces {
  const anchor = window.source.startOf(window.call.range);
  const { size } = window.call;
  const slide = window.call.slide!;
  const keys = groupColumns(grouped).map((column) => column.name);
  const whole = isMultiple(window);
  const list = (prefix: string, names: readonly string[]) =>
    names.map((name) => `${prefix}.${name}, `).join('');
  const sums = partials.columns.map(({ name, text }) => `, ${text} AS ${name}`).join('');
  const sumNames = partials.columns.map(({ name }) => `, heliosdb_slices.${name}`).join('');
  // In the first part of a slide the time less the remainder is still in the slide before.
  const shifted = whole ? '' : `, date_bin({0}, ${rowsAlias}.t - ({2}), {1}) AS cut`;
  const inWindow = whole
    ? ''
    : ' WHERE heliosdb_slices.cut < heliosdb_slices.slide OR heliosdb_steps.n < {6}';
  const text =
    `(SELECT ${list('heliosdb_slices', keys)}heliosdb_slices.slide - heliosdb_steps.back AS w${sumNames} ` +
    `FROM (SELECT ${list(rowsAlias, keys)}date_bin({0}, ${rowsAlias}.t, {1}) AS slide${shifted}${sums} ` +
    `FROM {3} WHERE {4} GROUP BY ${list(rowsAlias, keys)}slide${whole ? '' : ', cut'}) AS heliosdb_slices ` +
    `CROSS JOIN {5}${inWindow})`;
  return template(
    text,
    anchor,
    lengthSql(window, slide),
    originSql(window),
    remainderSql(window),
    rowsTable(grouped, window),
    finiteRows(window),
    stepsTable(window, whole ? 'up' : 'down'),
    wholeSlidesSql(window),
  );

  function remainderSql(typed: TypedWindow): Pieces {
    if (slide.value !== undefined && size.value !== undefined) {
      const rest = fixedMicros(size.value) % fixedMicros(slide.value);
      return template(intervalText(rest), anchor);
    }
    const count = 'floor(extract(epoch FROM {2}) / nullif(extract(epoch FROM {3}), 0))';
    const rest = `{0} - ${count} * {1}`;
    const lengths = [lengthSql(typed, size), lengthSql(typed, slide)];
    return template(rest, anchor, hoursSql(typed, size), hoursSql(typed, slide), ...lengths);
  }

  function wholeSlidesSql(typed: TypedWindow): Pieces {
    if (slide.value !== undefined && size.value !== undefined) {
      return template(`${fixedMicros(size.value) / fixedMicros(slide.value)}`, anchor);
    }
    const count = 'floor(extract(epoch FROM {0}) / nullif(extract(epoch FROM {1}), 0))';
    return template(count, anchor, lengthSql(typed, size), lengthSql(typed, slide));
  }
}
