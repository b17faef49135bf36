import type { TableNow } from '../../catalog/exclusion-history.ts';
import type { RelationMessage } from '../../protocol/pgoutput/relation.ts';

/** The dotted names of ALTER CDC CAPTURE EXCLUDE. */
export class ExcludedNames {
  readonly #names: ReadonlySet<string>;

  constructor(names: readonly string[]) {
    this.#names = new Set(names.map(partsOf));
  }

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  has(schema: string, table: string, column: string): boolean {
    return this.#names.has([schema, table, column].join('\0'));
  }

  hasName(name: string): boolean {
    return this.#names.has(partsOf(name));
  }
}

export type ExcludedOfRelation = {
  readonly columns: ReadonlySet<string>;
  /** More may be out than has to be: it is to be asked again. */
  readonly isGuess: boolean;
};

/**
 * Which columns of a relation are kept out: those that are named, and those that a name meant when
 * they were called otherwise. The relation is as it was where the WAL is read, or as a transaction
 * in progress has made it, and the names of then say nothing. But columns come in the order of
 * numbers that never change: a column stands behind as many as are there of those before it now,
 * and behind no more than there have ever been.
 */
export function excludedOf(
  relation: Pick<RelationMessage, 'schema' | 'name' | 'columns'>,
  names: ExcludedNames,
  now: Pick<TableNow, 'columns' | 'meant'>,
  walLsn: bigint,
): ExcludedOfRelation {
  const { schema, name: table } = relation;
  const called = relation.columns.map(({ name }) => name);
  const columns = new Set(called.filter((column) => names.has(schema, table, column)));
  let isGuess = false;
  for (const meant of now.meant) {
    if (!names.hasName(meant.name)) continue;
    const isKnown = walLsn >= meant.lookedLsn;
    if (isKnown && meant.isDropped) continue;
    const before = now.columns.filter(({ place }) => place < meant.place);
    const live = before.filter((column) => column.name !== undefined);
    // What a transaction in progress may have dropped, as far as names tell.
    const missing = live.filter(({ name }) => !called.includes(name!)).length;
    const first = Math.max(0, live.length - missing);
    // Of a table that is gone nobody knows how many there were.
    const ever = now.columns.length === 0 ? meant.place - 1 : before.length;
    const last = Math.min(ever - (isKnown ? meant.droppedBefore : 0), called.length - 1);
    for (const column of called.slice(first, last + 1)) columns.add(column);
    const isLive = now.columns.some(
      ({ place, name }) => place === meant.place && name !== undefined,
    );
    isGuess ||= !isLive || last > first;
  }
  return { columns, isGuess };
}

function partsOf(name: string): string {
  return splitDotted(name).join('\0');
}

/** The parts of a dotted name: what is quoted is taken as it is, the rest is in lower case. */
function splitDotted(name: string): string[] {
  const parts: string[] = [];
  for (const match of name.matchAll(/"((?:[^"]|"")*)"|([^."]+)/g)) {
    const [, quoted, plain] = match;
    parts.push(quoted === undefined ? plain!.trim().toLowerCase() : quoted.replaceAll('""', '"'));
  }
  return parts.length === 2 ? ['public', ...parts] : parts;
}
