import type { Change, TableVersion } from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';
import type { ReadForward, TableFilter } from '../../contracts/log-reader.ts';
import { changesNotPermitted, changesOfMissingTable } from '../../core/errors/change-access.ts';
import {
  type ChangeRights,
  readRights,
  rightsParameter,
  rightsQuery,
} from '../../lowering/cdc/change-rights.ts';
import { printEventRow } from '../../protocol/changes/event-row.ts';
import type { Offering } from './offering.ts';

/** Which changes one execution of a SHOW CDC EVENTS is about: of its FROM, with the role's rights. */
export class EventScope {
  readonly #offering: Offering;
  readonly #rights: ChangeRights;
  /** Of FROM; undefined: all tables. */
  readonly #tableOid: number | undefined;
  /** Versions of which the role may see something. */
  readonly tables: TableFilter;

  private constructor(
    offering: Offering,
    scope: { readonly rights: ChangeRights; readonly tableOid: number | undefined },
  ) {
    this.#offering = offering;
    this.#rights = scope.rights;
    this.#tableOid = scope.tableOid;
    const seen = [...scope.rights.versions].filter(([, { kind }]) => kind !== 'none');
    const isAll = scope.tableOid === undefined && seen.length === scope.rights.versions.size;
    this.tables = isAll ? 'all' : new Set(seen.map(([id]) => id));
  }

  static async open(offering: Offering): Promise<EventScope> {
    const { reader, read, ask } = offering;
    const known = await reader.tables();
    const meant = read.table === undefined ? undefined : await tableMeant(offering, known);
    const versions = meant === undefined ? known : known.filter(({ oid }) => oid === meant);
    const asked = [...versions, ...(meant === undefined ? [] : [{ oid: meant }])];
    const answer = await ask({
      text: rightsQuery,
      parameters: [rightsParameter(asked as readonly TableVersion[])],
    });
    const rights = readRights(answer ?? '{}', versions);
    if (read.table !== undefined) refuse(read.table, rights, meant);
    return new EventScope(offering, { rights, tableOid: meant });
  }

  /** Where a read forward begins. */
  async start(): Promise<ReadForward['from']> {
    const { reader, read } = this.#offering;
    if (read.sinceLsn === undefined) return { kind: 'start' };
    const { epoch } = await reader.bounds();
    return { kind: 'at', epoch, lsn: read.sinceLsn.lsn };
  }

  /** The rows of changes, of those the role may see. */
  visible(changes: readonly Change[]): readonly string[] {
    const rows: string[] = [];
    for (const change of changes) {
      const rights = this.#rightsOn(change);
      if (rights !== undefined) rows.push(printEventRow(change, rights));
    }
    return rows;
  }

  #rightsOn({ table, schemaChange }: Change): VersionRights | undefined {
    if (table !== undefined) return this.#rights.versions.get(table.id);
    if (schemaChange === undefined) return undefined;
    const { tableOid } = schemaChange;
    if (this.#tableOid !== undefined && tableOid !== this.#tableOid) return undefined;
    return this.#rights.seesSchemaChanges(tableOid) ? { kind: 'all' } : undefined;
  }
}

type Named = NonNullable<Offering['read']['table']>;

/** The OID of the table FROM names: the one that is there, else the last one of that name. */
async function tableMeant(
  { read, ask }: Offering,
  known: readonly TableVersion[],
): Promise<number> {
  const { name, position } = read.table as Named;
  const found = await ask({
    text: 'SELECT pg_catalog.to_regclass($1)::pg_catalog.oid::pg_catalog.text',
    parameters: [name],
  });
  if (found !== null) return Number(found);
  const parts = [...name.matchAll(/"((?:[^"]|"")+)"|([^".\s]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!.toLowerCase(),
  );
  const gone = known.findLast(
    (version) =>
      version.name === parts.at(-1) && (parts.length < 2 || version.schema === parts.at(-2)),
  );
  if (gone === undefined) throw changesOfMissingTable(name, position);
  return gone.oid;
}

function refuse({ name, position }: Named, rights: ChangeRights, oid: number | undefined): void {
  const versions = [...rights.versions.values()];
  if (versions.some(({ kind }) => kind !== 'none')) return;
  const [none] = versions;
  if (none?.kind === 'none') throw changesNotPermitted(name, none.reason, position);
  // Nothing was captured of it yet, which somebody without the right is not told either.
  if (oid !== undefined && !rights.seesAnyOf(oid)) {
    throw changesNotPermitted(name, 'privilege', position);
  }
}
