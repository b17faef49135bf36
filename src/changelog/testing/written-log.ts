import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogWriter } from '../log-writer.ts';
import type { TableShape } from '../table-versions.ts';

/** A change of a test: the text of the one column of a row that was inserted into a table. */
export type TestChange = {
  readonly table: number;
  readonly text: string;
  /** Of the subtransaction; 0 is the top level. */
  readonly subxid?: number;
};

export const source = { systemId: '7', databaseOid: 5, database: 'shop' };

export function tableShape(oid: number): TableShape {
  return {
    oid,
    schema: 'public',
    name: `t${oid}`,
    replicaIdentity: 'default',
    columns: [{ name: 'a', typeOid: 25, typeModifier: -1, isKey: true, valueKind: 'text' }],
  };
}

/** A log in a directory of its own. */
export class TestLog {
  readonly directory: string = join(mkdtempSync(join(tmpdir(), 'heliosdb-log-')), 'log');
  writer!: LogWriter;
  #lsn = 1_000n;

  async open(term = 1): Promise<LogWriter> {
    const first = { source, timeline: 1, term, epoch: 1, startLsn: 1_000n };
    this.writer = await LogWriter.open(this.directory, first);
    this.writer.goOn({ term, timeline: 1, beat: 0 });
    return this.writer;
  }

  /** Appends a transaction; answers the LSN of its commit. */
  async commit(
    changes: readonly TestChange[],
    options: { readonly aborted?: readonly number[]; readonly committedAt?: bigint } = {},
  ): Promise<bigint> {
    const hasSubxids = options.aborted !== undefined;
    const frames = this.writer.begin();
    for (const { table, text, subxid = 0 } of changes) {
      const version = this.writer.tableVersion(tableShape(table));
      const payload = insertFrame(version, text, hasSubxids ? subxid : undefined);
      const at = frames.reserve(payload.length, this.#lsn);
      payload.copy(frames.bytes, at);
      frames.count(version);
      this.#lsn += 10n;
    }
    for (const subxid of options.aborted ?? []) frames.abortSubtransaction(subxid);
    const commitLsn = this.#lsn;
    this.#lsn += 100n;
    const committedAt = options.committedAt ?? BigInt(Date.now()) * 1_000n;
    const commit = { commitLsn, endLsn: this.#lsn, committedAt, xid: commitLsn, hasSubxids };
    await this.writer.append(frames, commit);
    return commitLsn;
  }

  async close(): Promise<void> {
    await this.writer.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A pgoutput Insert of one text, as it is stored. */
export function insertFrame(version: number, text: string, subxid: number | undefined): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(subxid === undefined ? 5 : 9);
  head[0] = 0x49;
  if (subxid !== undefined) head.writeUInt32BE(subxid, 1);
  head.writeUInt32BE(version, head.length - 4);
  const row = Buffer.alloc(8);
  row[0] = 0x4e;
  row.writeUInt16BE(1, 1);
  row[3] = 0x74;
  row.writeInt32BE(bytes.length, 4);
  return Buffer.concat([head, row, bytes]);
}
