/**
 * The keys of the streams:
 *
 *     heliosdb:cdc[:e<epoch>]                                     all tables of the first database
 *     heliosdb:cdc:[<database>:][<schema>.]<table>[:e<epoch>]     one table
 *     heliosdb:cdc:<database>:[:e<epoch>]                         all tables of another database
 *
 * A name that holds `.`, `:` or `"`, or looks like an epoch (`e2`), is written in double quotes, an
 * inner one doubled: so no two streams share a key. Epoch 1 and schema public are left out.
 */
export type StreamRef = {
  /** Undefined: the first database of the node. */
  readonly database: string | undefined;
  /** Undefined: all tables. */
  readonly table: TableName | undefined;
  readonly epoch: number;
};

export type TableName = { readonly schema: string; readonly name: string };

const prefix = 'heliosdb:cdc';
const epochPattern = /^e([1-9][0-9]{0,8})$/;

export function printStreamKey({ database, table, epoch }: StreamRef): string {
  let key = prefix;
  if (database !== undefined) key += `:${printName(database)}`;
  if (table !== undefined) {
    const schema = table.schema === 'public' ? '' : `${printName(table.schema)}.`;
    key += `:${schema}${printName(table.name)}`;
  } else if (database !== undefined) key += ':';
  return epoch === 1 ? key : `${key}:e${epoch}`;
}

/** `schema.table`, in quotes where a key has them. */
export function printTableName({ schema, name }: TableName): string {
  return `${printName(schema)}.${printName(name)}`;
}

/** Undefined for every key that cannot be one of a stream. What is left out may be there. */
export function parseStreamKey(key: string): StreamRef | undefined {
  if (key === prefix) return { database: undefined, table: undefined, epoch: 1 };
  if (!key.startsWith(`${prefix}:`)) return undefined;
  const segments = splitSegments(key.slice(prefix.length + 1));
  if (segments === undefined) return undefined;
  const epoch = epochOf(segments.at(-1)!);
  const named = epoch === undefined ? segments : segments.slice(0, -1);
  if (named.length > 2) return undefined;
  const table = named.length === 0 ? 'all' : tableOf(named.at(-1)!);
  const database = named.length < 2 ? undefined : databaseOf(named[0]!);
  if (table === undefined || (named.length === 2 && database === undefined)) return undefined;
  // A lone colon at the end names neither a database nor a table.
  if (table === 'all' && named.length === 1) return undefined;
  return { database, table: table === 'all' ? undefined : table, epoch: epoch ?? 1 };
}

type Name = { readonly text: string; readonly isQuoted: boolean };
/** What stands between colons: one name, or two with a full stop between. */
type Segment = readonly Name[];

function epochOf([name, ...others]: Segment): number | undefined {
  if (name === undefined || name.isQuoted || others.length > 0) return undefined;
  const match = epochPattern.exec(name.text);
  return match === null ? undefined : Number(match[1]);
}

function databaseOf([name, ...others]: Segment): string | undefined {
  return name !== undefined && others.length === 0 && isName(name) ? name.text : undefined;
}

function tableOf(segment: Segment): TableName | 'all' | undefined {
  const [first, second, ...others] = segment;
  if (first === undefined || others.length > 0) return undefined;
  if (second === undefined && first.text === '') return 'all';
  if (!isName(first) || (second !== undefined && !isName(second))) return undefined;
  return second === undefined
    ? { schema: 'public', name: first.text }
    : { schema: first.text, name: second.text };
}

function isName({ text, isQuoted }: Name): boolean {
  return isQuoted || (text !== '' && !/^e[0-9]+$/.test(text));
}

function splitSegments(text: string): Segment[] | undefined {
  const segments: Segment[] = [];
  let names: Name[] = [];
  // Sticky, so of its own: it remembers where it is.
  const pattern = /(?:"((?:[^"]|"")+)"|([^".:]*))([.:]|$)/y;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const [, quoted, plain, end] = match;
    names.push(
      quoted === undefined
        ? { text: plain!, isQuoted: false }
        : { text: quoted.replaceAll('""', '"'), isQuoted: true },
    );
    if (end === '.') continue;
    segments.push(names);
    if (end === '') return segments;
    names = [];
  }
}

function printName(name: string): string {
  const isPlain = !/[.:"]/.test(name) && !/^e[0-9]+$/.test(name);
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}
