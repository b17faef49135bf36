import type { TableVersion } from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';

/** Whose rights are asked for: the role that asks, or that of the second parameter. */
const whose = {
  own: {
    role: '',
    // Whoever speaks is connected.
    connects: 'true',
    // The setting is_superuser stays what it was when the attribute is taken away.
    superuser:
      '(SELECT r.rolsuper FROM pg_catalog.pg_roles AS r' +
      ' WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)',
    secured: 'pg_catalog.row_security_active(c.oid)',
  },
  named: {
    role: '$2::pg_catalog.name, ',
    connects: `coalesce((SELECT pg_catalog.has_database_privilege(
        r.oid, pg_catalog.current_database(), 'CONNECT')
      FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) $2), false)`,
    superuser:
      '(SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) $2)',
    // As row_security_active has it, which knows only who asks.
    secured: `c.relrowsecurity
      AND NOT (SELECT r.rolsuper OR r.rolbypassrls FROM pg_catalog.pg_roles AS r
                WHERE r.rolname OPERATOR(pg_catalog.=) $2)
      AND (c.relforcerowsecurity
        OR NOT pg_catalog.pg_has_role($2::pg_catalog.name, c.relowner, 'USAGE'))`,
  },
} as const;

/**
 * Asks what the role that asks may see of tables: one row of one column, the hexadecimal digits of
 * JSON in UTF-8, for the encoding of a client may lack what a column is called. It is about the
 * tables whose OIDs are in the first parameter, an array literal. Columns come with their types, so
 * that a column that took the name of another is not taken for it.
 */
export const rightsQuery: string =
  `SELECT pg_catalog.encode(pg_catalog.convert_to(own.rights, 'UTF8'), 'hex')` +
  ` FROM (${queryOf(whose.own)}) AS own`;
/** The same about the role of the second parameter, as JSON; there may be no such role. */
export const rightsOfRoleQuery: string = queryOf(whose.named);

function queryOf({
  role,
  connects,
  superuser,
  secured,
}: (typeof whose)[keyof typeof whose]): string {
  return `
SELECT pg_catalog.json_build_object(
  'encoding', pg_catalog.getdatabaseencoding(),
  'connects', ${connects},
  'superuser', ${superuser},
  'tables', CASE WHEN ${connects} THEN (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', c.oid::pg_catalog.int8,
      'schema', pg_catalog.has_schema_privilege(${role}c.relnamespace, 'USAGE'),
      'all', pg_catalog.has_table_privilege(${role}c.oid, 'SELECT'),
      'secured', ${secured},
      'columns', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
            'name', a.attname, 'type', a.atttypid::pg_catalog.int8,
            'visible', pg_catalog.has_column_privilege(${role}c.oid, a.attnum, 'SELECT'))
            ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid
           AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)))
    FROM pg_catalog.pg_class AS c
   WHERE c.oid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])) END)::pg_catalog.text AS rights`;
}

/** The parameter of `rightsQuery`. */
export function rightsParameter(versions: readonly TableVersion[]): string {
  return `{${[...new Set(versions.map(({ oid }) => oid))].join(',')}}`;
}

type TableRights = {
  readonly oid: number;
  readonly schema: boolean;
  readonly all: boolean;
  readonly secured: boolean;
  readonly columns: readonly ColumnRights[] | null;
};
type ColumnRights = { readonly name: string; readonly type: number; readonly visible: boolean };

/** What a role may see of captured changes. */
export type ChangeRights = {
  /** Of the database, as Postgres calls it. */
  readonly encoding: string;
  readonly versions: ReadonlyMap<number, VersionRights>;
  /** Whether a schema change of the table may be seen. */
  readonly seesSchemaChanges: (tableOid: number) => boolean;
  /** Whether the role would see anything of a table of which nothing was captured yet. */
  readonly seesAnyOf: (tableOid: number) => boolean;
};

/** @param answer of `rightsQuery` for these versions */
export function readOwnRights(answer: string, versions: readonly TableVersion[]): ChangeRights {
  return readRights(Buffer.from(answer, 'hex').toString('utf8'), versions);
}

/** @param answer of `rightsOfRoleQuery` for these versions */
export function readRights(answer: string, versions: readonly TableVersion[]): ChangeRights {
  const { encoding, connects, superuser, tables } = JSON.parse(answer) as {
    readonly encoding: string;
    readonly connects: boolean;
    readonly superuser: boolean;
    readonly tables: readonly TableRights[] | null;
  };
  if (!connects) return noRights(versions, encoding);
  const byOid = new Map((tables ?? []).map((table) => [table.oid, table]));
  const rights = versions.map((version) => {
    const table = byOid.get(version.oid);
    return [version.id, superuser ? all : rightsOf(version, table)] as const;
  });
  return {
    encoding,
    versions: new Map(rights),
    seesSchemaChanges: (oid) => {
      const table = byOid.get(oid);
      return superuser || (table?.schema === true && table.all && !table.secured);
    },
    seesAnyOf: (oid) => {
      const table = byOid.get(oid);
      if (superuser) return true;
      if (table === undefined || !table.schema || table.secured) return false;
      return table.all || (table.columns ?? []).some(({ visible }) => visible);
    },
  };
}

/** Of somebody who may not even connect to the database. */
function noRights(versions: readonly TableVersion[], encoding: string): ChangeRights {
  return {
    encoding,
    versions: new Map(versions.map(({ id }) => [id, { kind: 'none', reason: 'privilege' }])),
    seesSchemaChanges: () => false,
    seesAnyOf: () => false,
  };
}

const all: VersionRights = { kind: 'all' };

function rightsOf(version: TableVersion, table: TableRights | undefined): VersionRights {
  if (table === undefined) return { kind: 'none', reason: 'dropped' };
  if (!table.schema) return { kind: 'none', reason: 'privilege' };
  if (table.secured) return { kind: 'none', reason: 'row-security' };
  if (table.all) return all;
  const columns = new Map((table.columns ?? []).map((column) => [column.name, column]));
  const names = new Set(version.columns.map(({ name }) => name));
  // In the order in which the table has them, which names that change hands do not keep.
  const still = (table.columns ?? []).filter(({ name }) => names.has(name));
  const isSame = version.columns.every(
    ({ name, typeOid }, index) => still[index]?.name === name && still[index].type === typeOid,
  );
  const visible = version.columns.map(({ name }) => columns.get(name)?.visible === true);
  if (!isSame || !visible.includes(true)) return { kind: 'none', reason: 'privilege' };
  return { kind: 'columns', visible };
}
