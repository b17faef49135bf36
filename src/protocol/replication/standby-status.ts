import { clientMessage, headerBytes } from '../message-types.ts';
import { postgresEpochMicros } from '../postgres-time.ts';

const standbyStatusType = 0x72; // r
const statusBytes = 34;

export type StandbyStatus = {
  /** Received; the server shows it, nothing depends on it. */
  readonly writtenLsn: bigint;
  /** Durable: a slot keeps nothing of transactions that ended before it. */
  readonly flushedLsn: bigint;
  readonly appliedLsn: bigint;
  /** By the clock of this machine, microseconds since 1970. */
  readonly sentAtMicros: bigint;
  readonly wantsReply: boolean;
};

/** A standby status update as a whole CopyData message. */
export function encodeStandbyStatus(status: StandbyStatus): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + statusBytes);
  frame[0] = clientMessage.copyData;
  frame.writeUInt32BE(4 + statusBytes, 1);
  frame[5] = standbyStatusType;
  frame.writeBigUInt64BE(status.writtenLsn, 6);
  frame.writeBigUInt64BE(status.flushedLsn, 14);
  frame.writeBigUInt64BE(status.appliedLsn, 22);
  frame.writeBigInt64BE(status.sentAtMicros - postgresEpochMicros, 30);
  frame[38] = status.wantsReply ? 1 : 0;
  return frame;
}
