import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tuple } from '../../contracts/change.ts';
import { LogWriter } from '../log-writer.ts';
import type { TableShape } from '../table-versions.ts';

/** One change as a test writes it. */
export type WrittenChange =
  | { readonly table: string; readonly insert: Tuple }
  | { readonly table: string; readonly update: Tuple; readonly key?: Tuple }
  | { readonly table: string; readonly delete: Tuple }
  | { readonly ddl: string };

/** A change log in a directory of its own, written as capture writes it. */
export class LogFixture {
  readonly directory: string = join(mkdtempSync(join(tmpdir(), 'heliosdb-log-')), 'log');
  #writer: LogWriter | undefined;
  #lsn: bigint;
  #epoch = 1;

  constructor(startLsn: bigint = 1_000n) {
    this.#lsn = startLsn;
  }

  async open(): Promise<void> {
    this.#writer = await LogWriter.open(this.directory, {
      source: { systemId: '1', databaseOid: 5, database: 'shop' },
      timeline: 1,
      term: 1,
      epoch: this.#epoch,
      startLsn: this.#lsn,
    });
    this.#writer.goOn({ term: 1, timeline: 1, beat: 0 });
    await this.flush();
  }

  get endLsn(): bigint {
    return this.#lsn;
  }

  /** One transaction, flushed; answers the LSN of its commit. */
  async commit(changes: readonly WrittenChange[], micros: bigint = 1n): Promise<bigint> {
    const writer = this.#writer!;
    const frames = writer.begin();
    for (const change of changes) {
      const version = 'ddl' in change ? 0 : writer.tableVersion(shapeOf(change.table));
      const payload = payloadOf(change, version);
      const at = frames.reserve(payload.length, this.#lsn);
      payload.copy(frames.bytes, at);
      frames.count(version);
      this.#lsn += 10n;
    }
    const commitLsn = this.#lsn;
    this.#lsn += 10n;
    await writer.append(frames, {
      commitLsn,
      endLsn: this.#lsn,
      committedAt: micros,
      xid: commitLsn + 0x1_0000_0000n,
      hasSubxids: false,
    });
    await this.flush();
    return commitLsn;
  }

  /** WAL without a change. */
  async advance(bytes: bigint): Promise<void> {
    this.#lsn += bytes;
    this.#writer!.advance(this.#lsn);
    await this.flush();
  }

  async beginEpoch(startLsn: bigint): Promise<void> {
    this.#epoch += 1;
    this.#lsn = startLsn;
    this.#writer!.beginEpoch({ epoch: this.#epoch, startLsn, timeline: 1, term: 1 });
    await this.flush();
  }

  /** Removes what was committed before a time. */
  async trim(committedBefore: bigint): Promise<void> {
    const bytesMax = Number.MAX_SAFE_INTEGER;
    await this.#writer!.trim({ bytesMax, committedBefore, heldFrom: undefined });
    await this.flush();
  }

  async flush(): Promise<void> {
    this.#writer!.flush();
    await this.#writer!.sync();
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    rmSync(join(this.directory, '..'), { recursive: true, force: true });
  }
}

function shapeOf(table: string): TableShape {
  return {
    oid: 16_384 + [...table].reduce((sum, letter) => sum + letter.charCodeAt(0), 0),
    schema: 'public',
    name: table,
    replicaIdentity: 'default',
    columns: ['id', 'note'].map((name, index) => ({
      name,
      typeOid: 25,
      typeModifier: -1,
      isKey: index === 0,
      valueKind: 'text',
    })),
  };
}

/** A pgoutput message with the number of a table version where the OID of the table stands. */
function payloadOf(change: WrittenChange, version: number): Buffer {
  if ('ddl' in change) {
    const content = JSON.stringify({
      command: change.ddl,
      tableOid: 7,
      schema: 'public',
      name: 'orders',
      rewritesRows: false,
    });
    return Buffer.concat([
      Buffer.from('M\x01'),
      Buffer.alloc(8),
      Buffer.from('heliosdb\0'),
      u32(Buffer.byteLength(content)),
      Buffer.from(content),
    ]);
  }
  if ('insert' in change) {
    return Buffer.concat([letter('I'), u32(version), letter('N'), tuple(change.insert)]);
  }
  if ('delete' in change) {
    return Buffer.concat([letter('D'), u32(version), letter('O'), tuple(change.delete)]);
  }
  const old = change.key === undefined ? [] : [letter('O'), tuple(change.key)];
  return Buffer.concat([letter('U'), u32(version), ...old, letter('N'), tuple(change.update)]);
}

function tuple(values: Tuple): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(values.length);
  const parts = values.map((value) => {
    if (value === undefined) return letter('u');
    if (value === null) return letter('n');
    return Buffer.concat([letter('t'), u32(Buffer.byteLength(value)), Buffer.from(value)]);
  });
  return Buffer.concat([count, ...parts]);
}

function letter(text: string): Buffer {
  return Buffer.from(text);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
