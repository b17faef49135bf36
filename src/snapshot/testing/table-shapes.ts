/** A table to write to: what makes it, its key columns and the SQL of the nth key. */
export type TableShape = {
  readonly name: string;
  /** `%t` stands for the name of the table. Columns besides the key: note int, big text. */
  readonly create: readonly string[];
  readonly key: readonly string[];
  readonly keyOf: (number: number) => readonly string[];
  /** Whether it is read in chunks. */
  readonly inChunks: boolean;
};

/** Run once per database before any shape. */
export const shapeTypes: readonly string[] = [
  `CREATE TYPE public.mood AS ENUM (${Array.from({ length: 60 }, (_, n) => `'${moodOf(n)}'`)})`,
  'CREATE DOMAIN public.code AS varchar(8) CHECK (length(VALUE) > 0)',
  `CREATE COLLATION public.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
];

const rest = 'note int, big text';
const external = 'ALTER TABLE public.%t ALTER COLUMN big SET STORAGE EXTERNAL';

function simple(
  name: string,
  type: string,
  keyOf: (number: number) => string,
  more: readonly string[] = [],
): TableShape {
  const table = `CREATE TABLE public.%t (note int, "the Key" ${type} PRIMARY KEY, big text)`;
  return {
    name,
    create: [table, external, ...more],
    key: ['the Key'],
    keyOf: (number) => [keyOf(number)],
    inChunks: true,
  };
}

export const tableShapes: readonly TableShape[] = [
  simple('int', 'int', String),
  simple('numeric of several scales', 'numeric', (n) => `${n - 20}.${'0'.repeat(n % 3)}5`),
  simple('enum', 'public.mood', (n) => `'${moodOf(n)}'`),
  simple('uuid', 'uuid', (n) => `md5('${n}')::uuid`),
  simple(
    'timestamptz',
    'timestamptz',
    (n) => `timestamptz '2024-03-31 00:00+02' + interval '7 min' * ${n}`,
  ),
  simple('float8', 'float8', (n) => (n === 0 ? `'NaN'` : n === 1 ? `'-inf'` : `${n} / 7.0`)),
  simple('domain', 'public.code', (n) => `'k''\\${n}'`),
  simple('ICU collation', 'text COLLATE "en-x-icu"', (n) => `'${n % 2 ? 'a' : 'B'}-${n} ä'`),
  simple('text', 'text COLLATE "C"', (n) => `'${n % 2 ? 'a' : 'B'},"{${n}}\\'`),
  simple('nondeterministic collation', 'text COLLATE public.loose', (n) =>
    n % 4 === 0 ? `'KEY${n >> 2}'` : `'key${n}'`,
  ),
  simple('array', 'int[]', (n) => `ARRAY[${n % 5}, ${n}]`),
  simple('bytea', 'bytea', (n) => `decode(md5('${n}'), 'hex')`),
  simple('full identity', 'int', String, ['ALTER TABLE public.%t REPLICA IDENTITY FULL']),
  {
    name: 'two columns',
    create: [
      `CREATE TABLE public.%t (b int, ${rest}, a text COLLATE "en-x-icu", PRIMARY KEY (a, b))`,
      external,
    ],
    key: ['a', 'b'],
    keyOf: (n) => [`'${n % 3 === 0 ? 'Ä' : 'z'}${n % 4}'`, String(n)],
    inChunks: true,
  },
  {
    name: 'replica identity index',
    create: [
      `CREATE TABLE public.%t (${rest}, id int NOT NULL, label date NOT NULL)`,
      'CREATE UNIQUE INDEX %t_label ON public.%t (label DESC)',
      'ALTER TABLE public.%t REPLICA IDENTITY USING INDEX %t_label',
      external,
    ],
    key: ['label', 'id'],
    keyOf: (n) => [`date '2024-01-01' + ${n}`, '1'],
    inChunks: true,
  },
  {
    name: 'partitions',
    create: [
      `CREATE TABLE public.%t (${rest}, id int PRIMARY KEY) PARTITION BY RANGE (id)`,
      'CREATE TABLE public.%t_1 PARTITION OF public.%t FOR VALUES FROM (MINVALUE) TO (12)',
      'CREATE TABLE public.%t_2 (id int NOT NULL, big text, note int)',
      'ALTER TABLE public.%t ATTACH PARTITION public.%t_2 FOR VALUES FROM (12) TO (30)',
      'CREATE TABLE public.%t_3 PARTITION OF public.%t DEFAULT PARTITION BY HASH (id)',
      'CREATE TABLE public.%t_4 PARTITION OF public.%t_3 FOR VALUES WITH (MODULUS 2, REMAINDER 0)',
      'CREATE TABLE public.%t_5 PARTITION OF public.%t_3 FOR VALUES WITH (MODULUS 2, REMAINDER 1)',
      'ALTER TABLE public.%t_2 ALTER COLUMN big SET STORAGE EXTERNAL',
    ],
    key: ['id'],
    keyOf: (n) => [String(n)],
    inChunks: true,
  },
  {
    name: 'no key',
    create: [
      `CREATE TABLE public.%t (id int, ${rest})`,
      'ALTER TABLE public.%t REPLICA IDENTITY FULL',
      external,
    ],
    key: ['id'],
    keyOf: (n) => [String(n)],
    inChunks: false,
  },
];

/** Names whose alphabetical order is not the order of the type. */
function moodOf(number: number): string {
  return `m${(number * 37) % 60}`;
}
