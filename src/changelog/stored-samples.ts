import type { WalSample } from '../contracts/wal-samples.ts';
import { checksumBytes, seal, unseal } from './checked-bytes.ts';
import { currentEpoch, type LogState } from './log-state.ts';

/** Samples of the WAL as they lie in a log, of one epoch on one timeline; oldest first. */
export type StoredSamples = {
  readonly epoch: number;
  readonly timeline: number;
  readonly samples: readonly WalSample[];
};

const headerBytes = 8;
const sampleBytes = 16;

/** Epoch u32, timeline u32, then LSN u64 and next id u64 of each. */
export function encodeSamples({ epoch, timeline, samples }: StoredSamples): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + samples.length * sampleBytes + checksumBytes);
  bytes.writeUInt32BE(epoch, 0);
  bytes.writeUInt32BE(timeline, 4);
  for (const [index, { lsn, nextXid }] of samples.entries()) {
    bytes.writeBigUInt64BE(lsn, headerBytes + index * sampleBytes);
    bytes.writeBigUInt64BE(nextXid, headerBytes + index * sampleBytes + 8);
  }
  return seal(bytes);
}

/** Those that are still true, and of which the log still has what follows. */
export function samplesIn(state: LogState, stored: StoredSamples): readonly WalSample[] {
  const { epoch, startLsn } = currentEpoch(state);
  if (stored.epoch !== epoch || stored.timeline !== state.timeline) return [];
  const { trimmed } = state;
  const keptFrom = trimmed?.epoch === epoch ? trimmed.lsn + 1n : startLsn;
  return stored.samples.filter(({ lsn }) => lsn >= keptFrom);
}

/** @throws PgError XX001 when they are damaged */
export function decodeSamples(sealed: Buffer): StoredSamples {
  const bytes = unseal(sealed, 'What was sampled of the WAL');
  const samples: WalSample[] = [];
  for (let at = headerBytes; at < bytes.length; at += sampleBytes) {
    samples.push({ lsn: bytes.readBigUInt64BE(at), nextXid: bytes.readBigUInt64BE(at + 8) });
  }
  return { epoch: bytes.readUInt32BE(0), timeline: bytes.readUInt32BE(4), samples };
}
