import type { ChangePosition } from '../../contracts/change.ts';
import type { ReadBackward, ReadForward, TableFilter } from '../../contracts/log-reader.ts';
import { logRequestTooLarge, logStreamDamaged } from '../../core/errors/log-stream.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { requestBytesMax } from './limits.ts';
import { readPosition, writePosition } from './position-codec.ts';

/*
 * Read:     from u8 (start, after, at) · position, or epoch and LSN · filter
 * Backward: there u8 · position · filter
 * Filter:   all u8, or versions u32, each u32 · schema changes u8 · most changes
 * Count:    versions u32, each u32 · there u8 · epoch
 * Sample:   oldest transaction u64
 */
const fromKinds = ['start', 'after', 'at'] as const;
const versionBytes = 4;

type Wanted = Pick<ReadForward, 'tables' | 'schemaChanges' | 'changesMax'>;

export function encodeRead(request: ReadForward): Buffer {
  return encoded((writer) => {
    const { from } = request;
    writer.u8(fromKinds.indexOf(from.kind));
    if (from.kind === 'after') writePosition(writer, from.position);
    if (from.kind === 'at') {
      writer.integer(from.epoch);
      writer.u64(from.lsn);
    }
    writeWanted(writer, request);
  });
}

export function decodeRead(body: Buffer): ReadForward {
  return decoded(body, (reader) => ({ from: readFrom(reader), ...readWanted(reader) }));
}

export function encodeReadBackward(request: ReadBackward): Buffer {
  return encoded((writer) => {
    writer.u8(request.before === undefined ? 0 : 1);
    if (request.before !== undefined) writePosition(writer, request.before);
    writeWanted(writer, request);
  });
}

export function decodeReadBackward(body: Buffer): ReadBackward {
  return decoded(body, (reader) => ({
    before: reader.u8() === 0 ? undefined : readPosition(reader),
    ...readWanted(reader),
  }));
}

export type CountRequest = {
  readonly versions: ReadonlySet<number>;
  readonly epoch: number | undefined;
};

export function encodeCount({ versions, epoch }: CountRequest): Buffer {
  return encoded((writer) => {
    writeVersions(writer, versions);
    writer.u8(epoch === undefined ? 0 : 1);
    if (epoch !== undefined) writer.integer(epoch);
  });
}

export function decodeCount(body: Buffer): CountRequest {
  return decoded(body, (reader) => ({
    versions: readVersions(reader),
    epoch: reader.u8() === 0 ? undefined : reader.integer(),
  }));
}

export function encodeWalSample(xmin: bigint): Buffer {
  return encoded((writer) => writer.u64(xmin));
}

export function decodeWalSample(body: Buffer): bigint {
  return decoded(body, (reader) => reader.u64());
}

export function encodeChanged(beyond: ChangePosition): Buffer {
  return encoded((writer) => writePosition(writer, beyond));
}

export function decodeChanged(body: Buffer): ChangePosition {
  return decoded(body, readPosition);
}

function encoded(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter();
  write(writer);
  if (writer.length > requestBytesMax) throw logRequestTooLarge(requestBytesMax);
  return writer.view();
}

function decoded<T>(body: Buffer, read: (reader: ByteReader) => T): T {
  const reader = new ByteReader(body);
  const value = read(reader);
  reader.end();
  return value;
}

function readFrom(reader: ByteReader): ReadForward['from'] {
  const kind = fromKinds[reader.u8()];
  if (kind === 'start') return { kind };
  if (kind === 'after') return { kind, position: readPosition(reader) };
  if (kind === 'at') return { kind, epoch: reader.integer(), lsn: reader.u64() };
  throw logStreamDamaged('A read begins nowhere.');
}

function writeWanted(writer: ByteWriter, { tables, schemaChanges, changesMax }: Wanted): void {
  writer.u8(tables === 'all' ? 1 : 0);
  if (tables !== 'all') writeVersions(writer, tables);
  writer.u8(schemaChanges ? 1 : 0);
  writer.u32(Math.min(changesMax, 0xffff_ffff));
}

function readWanted(reader: ByteReader): Wanted {
  const tables: TableFilter = reader.u8() === 1 ? 'all' : readVersions(reader);
  return { tables, schemaChanges: reader.u8() === 1, changesMax: reader.u32() };
}

function writeVersions(writer: ByteWriter, versions: ReadonlySet<number>): void {
  writer.u32(versions.size);
  for (const version of versions) writer.u32(version);
}

function readVersions(reader: ByteReader): ReadonlySet<number> {
  const count = reader.countOf(reader.u32(), versionBytes);
  const versions = new Set<number>();
  for (let index = 0; index < count; index += 1) versions.add(reader.u32());
  return versions;
}
