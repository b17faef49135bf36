import type { Connection } from '../../postgres/connection.ts';
import type { ConfirmOptions } from './confirm-policy.ts';

/** What ALTER CDC CAPTURE SET can say, as numbers. */
export type CaptureOptions = ConfirmOptions & {
  readonly retentionBytes: number;
  readonly retentionAgeMs: number;
};

/** What holds while nobody says anything. */
export const captureDefaults = {
  confirm: 'delivered',
  max_slot_lag: '1GB',
  hold_for: '10 minutes',
  retention_bytes: '4GB',
  retention_age: '7 days',
} as const;

/** Reads the stored texts: sizes and intervals mean what they mean to the server. */
export async function readCaptureOptions(
  connection: Connection,
  stored: Readonly<Record<string, string>>,
): Promise<CaptureOptions> {
  const texts = { ...captureDefaults, ...stored };
  const [row] = await connection.query(
    `SELECT pg_catalog.pg_size_bytes($1)::text AS lag,
            (extract(epoch FROM $2::interval) * 1000)::float8 AS hold,
            pg_catalog.pg_size_bytes($3)::text AS bytes,
            (extract(epoch FROM $4::interval) * 1000)::float8 AS age`,
    [texts.max_slot_lag, texts.hold_for, texts.retention_bytes, texts.retention_age],
  );
  return {
    confirm: texts.confirm === 'delivered' ? 'delivered' : 'logged',
    maxSlotLagBytes: BigInt(String(row?.['lag'])),
    holdForMs: Number(row?.['hold']),
    retentionBytes: Number(row?.['bytes']),
    retentionAgeMs: Number(row?.['age']),
  };
}
