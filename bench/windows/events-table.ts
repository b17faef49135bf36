import type { Session } from '../server.ts';

/** Where the rows begin, in the week that America/New_York puts its clocks forward. */
export const firstInstant = "TIMESTAMPTZ '2024-03-06 00:00:00+00'";

/**
 * A week of rows, whatever their number, in the order of their time as an append-only table has
 * them. The same seed gives the same rows on every server since Postgres 15.
 */
export async function createEvents(
  session: Session,
  options: { readonly schema: string; readonly rows: number },
): Promise<void> {
  const { schema, rows } = options;
  await session.query(`CREATE SCHEMA ${schema}`);
  await session.query(
    `CREATE TABLE ${schema}.events (
       ts timestamptz, key1 int, key100 int, key100k int, value int, amount numeric(10,2))`,
  );
  await session.query('SELECT setseed(0.42)');
  await session.query(
    `INSERT INTO ${schema}.events
     SELECT ${firstInstant} + (n + random()) * INTERVAL '7 days' / ${rows},
            1,
            floor(random() * 100),
            floor(random() * 100000),
            floor(random() * 1000),
            random() * 1000
     FROM generate_series(0, ${rows - 1}) AS n`,
  );
  await session.query(`VACUUM ANALYZE ${schema}.events`);
  // What is written later is written while something is measured. It takes a right of its own.
  await session.query('CHECKPOINT').catch(() => undefined);
}

export async function dropEvents(session: Session, schema: string): Promise<void> {
  await session.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
}
