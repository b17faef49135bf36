import type { EventsRead } from '../../contracts/rewriter.ts';
import { printLsn } from '../../core/lsn.ts';
import { quoteLiteral } from '../../core/quoting.ts';
import type {
  AlterCdcConnector,
  CreateCdcConnector,
  DropCdcConnector,
  ShowCdcConnectors,
  TableChoice,
} from '../../sql/cdc/statement.ts';
import { generated } from '../splice.ts';
import { connectorsColumns, namesOf } from './columns.ts';
import type { LoweredCdc } from './lowered-statement.ts';
import { procedureErrors, relationErrors } from './schema-errors.ts';
import type { Place } from './show-cdc-events.ts';

/** Procedures of schema heliosdb: in the client's transaction, with the client's rights. */

/** What it delivers begins with it, so that the capture has to be there before. */
export function lowerCreateCdcConnector(
  { name, type, tables, options, isQuiet }: CreateCdcConnector,
  { anchor, statement, ordinal }: Place,
  query: Pick<EventsRead, 'isBehindBegin' | 'isAlone'>,
): LoweredCdc {
  const call: Call = {
    tag: 'CREATE CDC CONNECTOR',
    procedure: 'create_cdc_connector',
    values: [
      quoteLiteral(name),
      quoteLiteral(type),
      `tables => ${tables === undefined ? 'NULL' : tableChoices(tables)}`,
      `options => ${jsonb(options)}`,
      ...(isQuiet ? ['if_not_exists => true'] : []),
    ],
  };
  const events: EventsRead = {
    statement,
    setting: `heliosdb.cdc_events_${ordinal}`,
    limit: 0,
    isFiltered: false,
    follows: false,
    beginsOnly: true,
    ...query,
  };
  return { ...lowerCall(call, anchor), events };
}

export function lowerAlterCdcConnector(statement: AlterCdcConnector, anchor: number): LoweredCdc {
  const { procedure, values } = alteration(statement);
  const ifExists = statement.isQuiet ? ['if_exists => true'] : [];
  const all = [quoteLiteral(statement.name), ...values, ...ifExists];
  return lowerCall({ tag: 'ALTER CDC CONNECTOR', procedure, values: all }, anchor);
}

export function lowerDropCdcConnector(
  { name, isQuiet }: DropCdcConnector,
  anchor: number,
): LoweredCdc {
  const values = [quoteLiteral(name), ...(isQuiet ? ['if_exists => true'] : [])];
  return lowerCall({ tag: 'DROP CDC CONNECTOR', procedure: 'drop_cdc_connector', values }, anchor);
}

export function lowerShowCdcConnectors({ name }: ShowCdcConnectors, anchor: number): LoweredCdc {
  const one = name && ` WHERE connector = heliosdb.known_connector(${quoteLiteral(name)})`;
  const text = `SELECT ${namesOf(connectorsColumns)} FROM heliosdb.cdc_connectors${one ?? ''} ORDER BY connector`;
  return {
    pieces: [generated(text, anchor)],
    tag: 'SHOW',
    errors: relationErrors('SHOW CDC CONNECTORS', 'cdc_connectors'),
  };
}

type Call = {
  readonly tag: string;
  readonly procedure: string;
  readonly values: readonly string[];
};

function lowerCall({ tag, procedure, values }: Call, anchor: number): LoweredCdc {
  return {
    pieces: [generated(`CALL heliosdb.${procedure}(${values.join(', ')})`, anchor)],
    tag,
    errors: procedureErrors(tag, procedure),
  };
}

function alteration(statement: AlterCdcConnector): Pick<Call, 'procedure' | 'values'> {
  switch (statement.action) {
    case 'enable':
    case 'disable':
      return {
        procedure: 'enable_cdc_connector',
        values: [`enable => ${statement.action === 'enable'}`],
      };
    case 'set':
      return { procedure: 'set_cdc_connector', values: [`changed => ${jsonb(statement.options)}`] };
    case 'replay': {
      const lsn = quoteLiteral(printLsn(statement.lsn));
      return {
        procedure: 'replay_cdc_connector',
        values: [`from_lsn => ${lsn}::pg_catalog.pg_lsn`],
      };
    }
    case 'resume':
      return { procedure: 'resume_cdc_connector', values: ['skip_gap => true'] };
  }
}

/** The client's session finds the tables, by its own search_path. */
function tableChoices(tables: readonly TableChoice[]): string {
  const choices = tables.map(({ table, columns }) => {
    const oid = `${quoteLiteral(table)}::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8`;
    return `pg_catalog.jsonb_build_object('oid', ${oid}, 'columns', ${jsonb(columns ?? null)})`;
  });
  return `pg_catalog.to_jsonb(ARRAY[${choices.join(', ')}])`;
}

function jsonb(value: unknown): string {
  return `${quoteLiteral(JSON.stringify(value))}::pg_catalog.jsonb`;
}
