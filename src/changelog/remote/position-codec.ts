import type { ChangePosition } from '../../contracts/change.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

export function writePosition(writer: ByteWriter, { epoch, lsn, seq }: ChangePosition): void {
  writer.integer(epoch);
  writer.u64(lsn);
  writer.integer(seq);
}

export function readPosition(reader: ByteReader): ChangePosition {
  return { epoch: reader.integer(), lsn: reader.u64(), seq: reader.integer() };
}
