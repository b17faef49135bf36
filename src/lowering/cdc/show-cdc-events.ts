import type { ErrorRewrite, EventsFilter, EventsRead } from '../../contracts/rewriter.ts';
import { eventsAfterEnd } from '../../core/errors/cdc.ts';
import { quoteLiteral } from '../../core/quoting.ts';
import type { ShowCdcEvents } from '../../sql/cdc/statement.ts';
import type { Source } from '../../sql/source.ts';
import { fieldsOf } from '../refusal.ts';
import { apart, type Pieces, positionsOf, template, textOf } from '../splice.ts';
import { definitionsOf, eventColumns, namesOf } from './columns.ts';
import type { LoweredCdc } from './lowered-statement.ts';
import { handoverErrors } from './schema-errors.ts';

/** Where a statement stands. */
export type Place = {
  readonly source: Source;
  /** UTF-16 offset of its first token. */
  readonly anchor: number;
  /** Statement index within the Query. */
  readonly statement: number;
  /** How many SHOW CDC EVENTS come before it in the text. */
  readonly ordinal: number;
};

/**
 * The changes come as JSON in a setting, so Postgres itself filters them and makes values of them.
 * They are offered in order, but a result without ORDER BY promises none.
 */
export function lowerShowCdcEvents(
  statement: ShowCdcEvents,
  place: Place,
  query: Pick<EventsRead, 'isBehindBegin' | 'isAlone'>,
): LoweredCdc {
  const { source, anchor } = place;
  const setting = `heliosdb.cdc_events_${place.ordinal}`;
  const where = conditionOf(statement, anchor);
  const isNamed = statement.table !== undefined;
  const names = namesOf(eventColumns);
  const rows =
    `pg_catalog.json_to_recordset(${takenAsJson(setting, isNamed)})` +
    ` AS cdc_events(${definitionsOf(eventColumns)})`;
  const { limit, since, follows } = statement;
  // What is followed comes a batch at a time, of which everything is shown. LIMIT 0 would not read
  // what was handed over, which is nothing, or why there is nothing.
  const limited = limit === undefined || limit === 0n || follows ? '' : ` LIMIT ${limit}`;
  const ascending = ' ORDER BY epoch, lsn, seq';
  const text =
    since === undefined && limited !== ''
      ? `SELECT ${names} FROM (SELECT ${names} FROM ${rows}{0}` +
        ` ORDER BY epoch DESC, lsn DESC, seq DESC${limited}) AS cdc_events${ascending}`
      : `SELECT ${names} FROM ${rows}{0}${ascending}${limited}`;
  const filter = filterOf(source, setting, where, anchor);
  return {
    pieces: template(text, anchor, where),
    tag: 'SHOW',
    errors: [...handoverErrors, errorOfOthers(isNamed, source.positionOf(anchor))],
    events: {
      ...readOf(statement, place),
      ...query,
      setting,
      ...(filter === undefined ? {} : { filter }),
    },
  };
}

/** The client's own text in brackets: its tokens end it, so no comment can reach the bracket. */
function conditionOf({ where }: ShowCdcEvents, anchor: number): Pieces {
  if (where === undefined) return [];
  return template(' WHERE ({0})', anchor, [{ kind: 'copied', ...where }]);
}

const offered = 'heliosdb_offered_';

/**
 * Puts rows into a setting: its name, the JSON, and whether it is local to the transaction.
 *
 * @param isNamed whether the statement has FROM
 */
export function handOverQuery(isNamed: boolean): string {
  const value = `pg_catalog.concat(${ownerOfRows(isNamed)}, $2::pg_catalog.text)`;
  return `SELECT pg_catalog.set_config($1, ${value}, $3) IS NULL`;
}

/**
 * What stands before the rows in a setting: whose they are, and, where a table was named, in which
 * path it was looked for. Statements between may have changed both, which no text shows.
 *
 * @returns SQL, of a text of `ownerChars`
 */
function ownerOfRows(isNamed: boolean): string {
  const path = isNamed ? ", pg_catalog.current_setting('search_path')" : '';
  const hash = `pg_catalog.hashtextextended(pg_catalog.concat(CURRENT_USER, ' '${path}), 0)`;
  return `pg_catalog.concat('${offered}', pg_catalog.lpad(pg_catalog.to_hex(${hash}), 16, '0'))`;
}

const ownerChars = offered.length + 16;

/** With somebody else's before them the rows are no JSON. */
function errorOfOthers(isNamed: boolean, position: number): ErrorRewrite {
  const change = isNamed ? 'a change of role or search_path' : 'a change of role';
  const fields = fieldsOf(eventsAfterEnd(change, { position }));
  return { when: { code: '22P02', contextIncludes: offered }, fields };
}

/** Right after it was put there. */
function settingAsJson(setting: string): string {
  const value = `pg_catalog.current_setting(${quoteLiteral(setting)})`;
  return `pg_catalog.substr(${value}, ${ownerChars + 1})::pg_catalog.json`;
}

/**
 * Reading it empties it, so that a session that changes its role, or is handed on by a pooler, does
 * not keep what another role could see. Arguments are evaluated from left to right.
 */
function takenAsJson(setting: string, isNamed: boolean): string {
  const name = quoteLiteral(setting);
  const value = `pg_catalog.current_setting(${name})`;
  const isOwn = `pg_catalog.starts_with(${value}, ${ownerOfRows(isNamed)})`;
  return (
    `pg_catalog.concat(pg_catalog.substr(${value},` +
    ` CASE WHEN ${isOwn} THEN ${ownerChars + 1} ELSE 1 END),` +
    ` pg_catalog.set_config(${name}, '', false))::pg_catalog.json`
  );
}

function filterOf(
  source: Source,
  setting: string,
  where: Pieces,
  anchor: number,
): EventsFilter | undefined {
  if (where.length === 0) return undefined;
  const ordinal = 'heliosdb_ordinal';
  const minusOne = `(${ordinal} OPERATOR(pg_catalog.-) 1)::pg_catalog.text`;
  // An ordinality beside a column definition list stands only in ROWS FROM.
  const text =
    `SELECT pg_catalog.string_agg(${minusOne}, ',' ORDER BY ${ordinal}) FROM ROWS FROM` +
    ` (pg_catalog.json_to_recordset(${settingAsJson(setting)})` +
    ` AS (${definitionsOf(eventColumns)}))` +
    ` WITH ORDINALITY AS cdc_events(${namesOf(eventColumns)}, ${ordinal}){0}`;
  const pieces = apart(source.text, template(text, anchor, where));
  return { text: textOf(source.text, pieces), positions: positionsOf(source.text, pieces) };
}

function readOf(
  { table, where, since, limit, follows }: ShowCdcEvents,
  { source, statement }: Place,
): Omit<EventsRead, 'setting' | 'filter' | 'isBehindBegin' | 'isAlone'> {
  return {
    statement,
    ...(table === undefined
      ? {}
      : { table: { name: table.name, position: source.positionOf(table.span.start) } }),
    ...(since === undefined
      ? {}
      : { sinceLsn: { lsn: since.lsn, position: source.positionOf(since.span.start) } }),
    limit: limit === undefined ? undefined : Math.min(Number(limit), Number.MAX_SAFE_INTEGER),
    isFiltered: where !== undefined,
    follows,
  };
}
