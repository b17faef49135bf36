import type { TableVersion } from '../../contracts/change.ts';
import type { ChangeBatch, EpochBounds, LogBounds, LogReader } from '../../contracts/log-reader.ts';
import type { WalSampleAnswer } from '../../contracts/wal-samples.ts';
import { logRequestFailed } from '../../core/errors/log-stream.ts';
import type { PgError } from '../../core/errors/pg-error.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { readChanges, writeChanges } from './change-codec.ts';
import { readPosition, writePosition } from './position-codec.ts';
import { readTable, type TableTexts, writeTable } from './table-codec.ts';

type BackwardBatch = Awaited<ReturnType<LogReader['readBackward']>>;

/** Epoch, start LSN, and whether there is an end. */
const epochBytesMin = 17;
const textBytesMin = 4;

export function encodeBounds(bounds: LogBounds): Buffer {
  const writer = new ByteWriter();
  writer.integer(bounds.epoch);
  writer.u64(bounds.startLsn);
  writer.u64(bounds.endLsn);
  writer.u32(bounds.epochs.length);
  for (const { epoch, startLsn, endLsn } of bounds.epochs) {
    writer.integer(epoch);
    writer.u64(startLsn);
    writer.u8(endLsn === undefined ? 0 : 1);
    if (endLsn !== undefined) writer.u64(endLsn);
  }
  return writer.view();
}

export function decodeBounds(body: Buffer): LogBounds {
  const reader = new ByteReader(body);
  const epoch = reader.integer();
  const startLsn = reader.u64();
  const endLsn = reader.u64();
  const count = reader.countOf(reader.u32(), epochBytesMin);
  const epochs: EpochBounds[] = [];
  for (let index = 0; index < count; index += 1) {
    epochs.push({
      epoch: reader.integer(),
      startLsn: reader.u64(),
      endLsn: reader.u8() === 0 ? undefined : reader.u64(),
    });
  }
  reader.end();
  return { epoch, epochs, startLsn, endLsn };
}

export function encodeTables(tables: readonly TableVersion[]): Buffer {
  const writer = new ByteWriter();
  writer.u32(tables.length);
  for (const table of tables) writeTable(writer, table);
  return writer.view();
}

export function decodeTables(body: Buffer, texts: TableTexts): readonly TableVersion[] {
  const reader = new ByteReader(body);
  const count = reader.countOf(reader.u32(), textBytesMin);
  const tables: TableVersion[] = [];
  for (let index = 0; index < count; index += 1) tables.push(readTable(reader, texts));
  reader.end();
  return tables;
}

export function encodeCounted(count: number): Buffer {
  const writer = new ByteWriter();
  writer.integer(count);
  return writer.view();
}

export function decodeCounted(body: Buffer): number {
  const reader = new ByteReader(body);
  const count = reader.integer();
  reader.end();
  return count;
}

export function encodeSampled({ epoch, sample }: WalSampleAnswer): Buffer {
  const writer = new ByteWriter();
  writer.integer(epoch);
  writer.u8(sample === undefined ? 0 : 1);
  if (sample !== undefined) {
    writer.u64(sample.lsn);
    writer.u64(sample.nextXid);
  }
  return writer.view();
}

export function decodeSampled(body: Buffer): WalSampleAnswer {
  const reader = new ByteReader(body);
  const epoch = reader.integer();
  const isThere = reader.u8() !== 0;
  const sample = isThere ? { lsn: reader.u64(), nextXid: reader.u64() } : undefined;
  reader.end();
  return { epoch, sample };
}

export function encodeBatch({ changes, through, isAtEnd }: ChangeBatch): Buffer {
  const writer = new ByteWriter();
  writePosition(writer, through);
  writer.u8(isAtEnd ? 1 : 0);
  writeChanges(writer, changes);
  return writer.view();
}

export function decodeBatch(body: Buffer, texts: TableTexts): ChangeBatch {
  const reader = new ByteReader(body);
  const through = readPosition(reader);
  const isAtEnd = reader.u8() === 1;
  const changes = readChanges(reader, texts);
  reader.end();
  return { changes, through, isAtEnd };
}

export function encodeBackwardBatch({ changes, before, isAtStart }: BackwardBatch): Buffer {
  return encodeBatch({ changes, through: before, isAtEnd: isAtStart });
}

export function decodeBackwardBatch(body: Buffer, texts: TableTexts): BackwardBatch {
  const { changes, through, isAtEnd } = decodeBatch(body, texts);
  return { changes, before: through, isAtStart: isAtEnd };
}

export function encodeError({ code, message, detail, hint, retryable }: PgError): Buffer {
  const writer = new ByteWriter();
  writer.text(code);
  writer.text(message);
  writer.text(detail);
  writer.text(hint);
  writer.u8(retryable ? 1 : 0);
  return writer.view();
}

export function decodeError(body: Buffer): PgError {
  const reader = new ByteReader(body);
  const error = logRequestFailed({
    code: reader.string(),
    message: reader.string(),
    detail: reader.text() ?? undefined,
    hint: reader.text() ?? undefined,
    retryable: reader.u8() === 1,
  });
  reader.end();
  return error;
}
