/** Postgres counts microseconds from 2000-01-01 UTC; a change counts them from 1970. */
export const postgresEpochMicros: bigint = 946_684_800_000_000n;
