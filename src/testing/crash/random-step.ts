import type { Random } from '../oracle/random.ts';

/** A statement of a random transaction, and how many changes come of each row it says it touched. */
export type Step = {
  readonly sql: string;
  /** Undefined: not known beforehand. */
  readonly changesPerRow: number | undefined;
  /** Instead of by row. */
  readonly changes?: number;
};

/** Ids are few, so that rows are met again. */
const idMax = 200;

export type StepOptions = {
  /** Rows of a large statement. */
  readonly largeRows: number;
  /** Whether tables are made, altered and dropped. */
  readonly ddl: boolean;
};

export function randomStep(random: Random, options: StepOptions): Step {
  if (options.ddl && random.chance(0.08)) return ddlStep(random);
  if (random.chance(0.06)) return largeStep(random, options.largeRows);
  if (random.chance(0.015)) return truncateStep(random);
  return random.pick(rowSteps)(random);
}

const id = (random: Random): number => random.between(1, idMax);
const rows = (sql: string, changesPerRow: number | undefined = 1): Step => ({ sql, changesPerRow });

/** Not compressible, so that it is stored out of line. */
const longValue = (random: Random): string =>
  `(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, ${random.between(70, 200)}))`;

const rowSteps: readonly ((random: Random) => Step)[] = [
  (random) =>
    rows(`INSERT INTO plain
      VALUES (${id(random)}, ${random.between(-999, 999)}.${random.between(0, 99)},
      'é' || ${random.between(0, 9)}) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n, t = NULL`),
  (random) => rows(`UPDATE plain SET n = n * 1.10 WHERE id % 17 = ${random.between(0, 16)}`),
  (random) => rows(`DELETE FROM plain WHERE id = ${id(random)}`),
  // The key itself.
  (random) =>
    rows(`UPDATE plain SET id = id + 1000 * ${random.between(-1, 1)} WHERE id = ${id(random)}
      AND NOT EXISTS (SELECT FROM plain AS p WHERE p.id IN (plain.id + 1000, plain.id - 1000))`),
  (random) =>
    rows(`INSERT INTO toasty VALUES (${id(random)}, 1, ${longValue(random)})
      ON CONFLICT (id) DO UPDATE SET long = EXCLUDED.long`),
  (random) => rows(`UPDATE toasty SET n = n + 1 WHERE id % 13 = ${random.between(0, 12)}`),
  (random) =>
    rows(`UPDATE toasty SET id = -id, n = 0 WHERE id = ${id(random)}
      AND NOT EXISTS (SELECT FROM toasty AS t WHERE t.id = -toasty.id)`),
  (random) => rows(`DELETE FROM toasty WHERE id = ${id(random)}`),
  (random) =>
    rows(
      `INSERT INTO whole_rows VALUES (${id(random)}, 'v', ${random.chance(0.2) ? longValue(random) : 'NULL'})`,
    ),
  (random) => rows(`UPDATE whole_rows SET v = v || 'x' WHERE id = ${id(random)}`),
  (random) => rows(`DELETE FROM whole_rows WHERE id = ${id(random)}`),
  (random) =>
    rows(`INSERT INTO by_index VALUES (${id(random)}, 'b', 0)
      ON CONFLICT (a, b) DO UPDATE SET c = by_index.c + 1`),
  (random) => rows(`UPDATE by_index SET b = 'c' || a WHERE a = ${id(random)} AND b = 'b'`),
  (random) => rows(`DELETE FROM by_index WHERE a = ${id(random)}`),
  (random) => rows(`INSERT INTO nothing_said VALUES (${id(random)}, 1) ON CONFLICT DO NOTHING`),
  (random) => rows(`INSERT INTO keyless SELECT ${id(random)}, 'w' FROM generate_series(1, 3)`),
  (random) =>
    rows(
      `INSERT INTO parts VALUES (${id(random)}, ${random.between(1, 5)}, 'p') ON CONFLICT DO NOTHING`,
    ),
  // From one partition to another: a delete and an insert.
  (random) =>
    rows(
      `UPDATE parts SET region = region % 3 + 1, v = v || 'm' WHERE id = ${id(random)} AND region < 4
        AND NOT EXISTS (SELECT FROM parts AS p WHERE p.id = parts.id AND p.region <> parts.region)`,
      2,
    ),
  (random) => rows(`UPDATE parts SET v = v || 's' WHERE id = ${id(random)}`),
  (random) => rows(`DELETE FROM parts_2 WHERE id = ${id(random)}`),
  // The child first.
  (random) =>
    rows(
      `WITH child AS (INSERT INTO owned VALUES (${id(random)}, ${id(random)}) ON CONFLICT DO NOTHING
        RETURNING owner)
      INSERT INTO owners SELECT owner, 0 FROM child
      ON CONFLICT (id) DO UPDATE SET v = owners.v + 1`,
      2,
    ),
  (random) => rows(`DELETE FROM owned WHERE id = ${id(random)}`),
  (random) =>
    rows(`UPDATE places AS p SET place = o.place FROM places AS o
       WHERE (p.id, o.id) IN ((${random.between(1, 10)}, ${random.between(11, 20)}),
         (${random.between(11, 20)}, ${random.between(1, 10)}))`),
];

function largeStep(random: Random, largeRows: number): Step {
  const count = random.between(Math.ceil(largeRows / 10), largeRows);
  return random.pick([
    rows(`INSERT INTO keyless SELECT n, repeat('k', 80) FROM generate_series(1, ${count}) AS n`),
    rows(`INSERT INTO plain SELECT n, n, md5(n::text) FROM generate_series(-${count}, -1) AS n
      ON CONFLICT (id) DO UPDATE SET t = md5(plain.t)`),
    rows(`INSERT INTO parts SELECT n, n % 4, 'large' FROM generate_series(1000, ${1000 + count}) AS n
      ON CONFLICT (id, region) DO UPDATE SET v = parts.v || '+'`),
    rows(`DELETE FROM plain WHERE id < 0`),
  ]);
}

function truncateStep(random: Random): Step {
  return {
    sql: `TRUNCATE ${random.pick(['keyless', 'plain', 'parts', 'toasty', 'nothing_said', 'keyless, whole_rows'])}`,
    changesPerRow: undefined,
  };
}

/** On tables of their own, of which there are a few at a time. */
function ddlStep(random: Random): Step {
  const table = `made_${random.between(1, 6)}`;
  const column = `c_${random.between(0, 1_000_000_000)}`;
  const sql = random.pick([
    `CREATE TABLE IF NOT EXISTS ${table} (id integer PRIMARY KEY, v text)`,
    `CREATE TABLE IF NOT EXISTS ${table} (id integer, v text)`,
    `DROP TABLE IF EXISTS ${table}`,
    `ALTER TABLE IF EXISTS ${table} ADD COLUMN ${column} integer`,
    `ALTER TABLE IF EXISTS ${table} REPLICA IDENTITY FULL`,
    `DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE ${table} DROP COLUMN %I', attname)
       FROM pg_attribute WHERE attrelid = to_regclass('${table}') AND attnum > 2
         AND NOT attisdropped LIMIT 1); EXCEPTION WHEN null_value_not_allowed THEN NULL; END $$`,
    `DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE ${table} RENAME COLUMN %I TO ${column}', attname)
       FROM pg_attribute WHERE attrelid = to_regclass('${table}') AND attnum > 2
         AND NOT attisdropped LIMIT 1); EXCEPTION WHEN null_value_not_allowed THEN NULL; END $$`,
    `CREATE TABLE IF NOT EXISTS ${table} AS SELECT n AS id, 'as'::text AS v
       FROM generate_series(1, 5) AS n`,
    ...[1, 2, 3, 4].map(
      () => `DO $$ BEGIN INSERT INTO ${table} (id, v) VALUES (${id(random)}, 'made');
        EXCEPTION WHEN undefined_table OR unique_violation THEN NULL; END $$`,
    ),
    `DO $$ BEGIN UPDATE ${table} SET v = v || 'u' WHERE id = ${id(random)} AND ${ofKeyed(table)};
      EXCEPTION WHEN undefined_table THEN NULL; END $$`,
    `DO $$ BEGIN DELETE FROM ${table} WHERE id = ${id(random)} AND ${ofKeyed(table)};
      EXCEPTION WHEN undefined_table THEN NULL; END $$`,
  ]);
  return { sql, changesPerRow: undefined };
}

/** Updates of tables without an identity are not captured, and are left out. */
function ofKeyed(table: string): string {
  return `EXISTS (SELECT FROM pg_class AS c WHERE c.oid = '${table}'::regclass
    AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index AS i
      WHERE i.indrelid = c.oid AND i.indisprimary)))`;
}
