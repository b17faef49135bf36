import { PgError } from '../../core/errors/pg-error.ts';
import type { Connection, Row } from '../../postgres/connection.ts';

/** What comes of tables that others change at the same time. */
const passingCodes: ReadonlySet<string> = new Set(
  // Deadlocks and failed cache lookups too.
  ['55P03', '42P01', '42704', '40P01', '40001', '23505', 'XX000'],
);

/**
 * The row of a statement on tables that others may have locked. Undefined when something was, or
 * was dropped at this moment: the next time.
 */
export async function withLockTimeout(
  connection: Connection,
  text: string,
): Promise<Row | undefined> {
  // Less than deadlock_timeout, so that nobody else's transaction is ended because of this one.
  await connection.query('SET lock_timeout = 500');
  try {
    return (await connection.query(text))[0];
  } catch (error) {
    if (!(error instanceof PgError && passingCodes.has(error.code))) throw error;
    return undefined;
  } finally {
    await connection.query('RESET lock_timeout').catch(() => undefined);
  }
}
