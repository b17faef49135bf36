import { headerBytes } from './message-types.ts';

/** Idle, in a transaction, in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E';

/** Size of every ReadyForQuery message. */
export const readyForQueryBytes: number = headerBytes + 1;

/** Undefined for a status no Postgres sends. */
export function decodeReadyForQuery(bytes: Buffer, start: number): TransactionStatus | undefined {
  switch (bytes[start + headerBytes]) {
    case 0x49:
      return 'I';
    case 0x54:
      return 'T';
    case 0x45:
      return 'E';
    default:
      return undefined;
  }
}
