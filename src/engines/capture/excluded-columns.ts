import type { MeantColumn, TableNow } from '../../catalog/exclusion-history.ts';
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
  /** The relation has another name for one of them than the table has now, and it was guessed. */
  readonly isGuess: boolean;
};

/**
 * Which columns of a relation are kept out: those that are named, and those that a name meant when
 * they were called otherwise. The relation is as it was where the WAL is read, or as a transaction
 * in progress has made it; where a column is known under neither its name of then nor that of now,
 * all that it could be is kept out.
 */
export function excludedOf(
  relation: Pick<RelationMessage, 'schema' | 'name' | 'columns'>,
  names: ExcludedNames,
  now: TableNow,
): ExcludedOfRelation {
  const { schema, name: table } = relation;
  const called = relation.columns.map(({ name }) => name);
  const columns = new Set(called.filter((column) => names.has(schema, table, column)));
  let isGuess = false;
  for (const meant of now.meant) {
    if (!names.hasName(meant.name)) continue;
    if (meant.column !== undefined && called.includes(meant.column)) {
      columns.add(meant.column);
    } else if (!isCalledAsNamed(relation, meant, called)) {
      const possible = couldBe(relation, meant, now.places);
      for (const column of possible) columns.add(column);
      isGuess ||= possible.length > 0;
    }
  }
  return { columns, isGuess };
}

/** Its name of then is the one that was said, by which it is out already. */
function isCalledAsNamed(
  { schema, name }: Pick<RelationMessage, 'schema' | 'name'>,
  meant: MeantColumn,
  called: readonly string[],
): boolean {
  const [itsSchema, table, column] = splitDotted(meant.name);
  return itsSchema === schema && table === name && called.includes(column ?? '');
}

/** Columns stay in the order of their numbers, so one is between those that are known. */
function couldBe(
  { columns }: Pick<RelationMessage, 'columns'>,
  { place, column }: MeantColumn,
  places: ReadonlyMap<string, number>,
): readonly string[] {
  const numbers = columns.map(({ name }) => places.get(name));
  const unknown = columns.filter((_, index) => numbers[index] === undefined);
  const fitting = columns.filter((_, index) => {
    if (numbers[index] !== undefined) return false;
    if (place === undefined) return true;
    const isBehind = numbers
      .slice(0, index)
      .every((number) => number === undefined || number < place);
    return (
      isBehind && numbers.slice(index).every((number) => number === undefined || number > place)
    );
  });
  if (fitting.length > 0) return fitting.map(({ name }) => name);
  // Names were exchanged, and it is there under one of them.
  const isLost = column !== undefined && unknown.length > 0;
  return isLost ? columns.filter(({ isKey }) => !isKey).map(({ name }) => name) : [];
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
