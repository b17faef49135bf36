import type { TableVersion } from '../../contracts/change.ts';
import {
  changesNotPermitted,
  changesOfMissingTable,
  changesOfUncaptured,
  type UncapturedKind,
} from '../../core/errors/change-access.ts';
import type { ChangeRights } from '../../lowering/cdc/change-rights.ts';
import type { Offering } from './offering.ts';

type Named = NonNullable<Offering['read']['table']>;

/** A relation as the catalog has it. */
export type MeantTable = {
  readonly oid: number;
  /** Undefined: changes of it are captured, or may be. */
  readonly uncaptured: UncapturedKind | undefined;
};

/** One that a transaction's snapshot does not have yet has no kind. */
const meantQuery = `
SELECT pg_catalog.concat_ws(' ', meant.oid, c.relkind, c.relpersistence, n.nspname)
  FROM (SELECT pg_catalog.to_regclass($1)::pg_catalog.oid AS oid) AS meant
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) meant.oid
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace`;

/** The table FROM names: the one that is there, else the last one of that name. */
export async function tableMeant(
  { read, ask }: Offering,
  known: readonly TableVersion[],
): Promise<MeantTable> {
  const { name, position } = read.table as Named;
  const found = (await ask({ text: meantQuery, parameters: [name] })) ?? '';
  if (found !== '') {
    const [oid, kind, persistence, ...schema] = found.split(' ');
    return { oid: Number(oid), uncaptured: uncapturedKind(kind, persistence, schema.join(' ')) };
  }
  const parts = partsOf(name);
  const gone = known.findLast(
    (version) =>
      version.name === parts.at(-1) && (parts.length < 2 || version.schema === parts.at(-2)),
  );
  if (gone === undefined) throw changesOfMissingTable(parts.join('.'), position);
  return { oid: gone.oid, uncaptured: undefined };
}

const otherKinds: ReadonlyMap<string | undefined, UncapturedKind> = new Map([
  ['v', 'view'],
  ['m', 'materialized view'],
  ['i', 'index'],
  ['I', 'index'],
  ['S', 'sequence'],
  ['f', 'foreign table'],
  ['c', 'composite type'],
  ['t', 'TOAST table'],
]);

const systemSchemas: ReadonlySet<string> = new Set([
  'pg_catalog',
  'information_schema',
  'heliosdb',
]);

/** Of pg_class: its `relkind` and `relpersistence`. */
function uncapturedKind(
  kind: string | undefined,
  persistence: string | undefined,
  schema: string,
): UncapturedKind | undefined {
  const other = otherKinds.get(kind);
  if (other !== undefined) return other;
  if (systemSchemas.has(schema)) return 'system table';
  if (persistence === 't') return 'temporary table';
  return persistence === 'u' ? 'unlogged table' : undefined;
}

/** A name as it was written, by its parts as they are called. */
function partsOf(name: string): readonly string[] {
  return [...name.matchAll(/"((?:[^"]|"")+)"|([^".\s]+)/g)].map(
    ([, quoted, plain]) =>
      quoted?.replaceAll('""', '"') ?? plain!.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  );
}

/** @throws PgError 42501, 42809 for a table of which the role will see nothing */
export function refuseUnseen(
  { name, position }: Named,
  rights: ChangeRights,
  meant: MeantTable,
): void {
  const versions = [...rights.versions.values()];
  if (versions.some(({ kind }) => kind !== 'none')) return;
  const table = partsOf(name).at(-1)!;
  const [none] = versions;
  if (none?.kind === 'none') throw changesNotPermitted(table, none.reason, position);
  // Nothing was captured of it yet, which somebody without the right is not told either.
  if (!rights.seesAnyOf(meant.oid)) throw changesNotPermitted(table, 'privilege', position);
  // Nor ever will be.
  if (meant.uncaptured !== undefined) throw changesOfUncaptured(table, meant.uncaptured, position);
}
