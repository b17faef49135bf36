import type {
  CapturedColumn,
  Change,
  Operation,
  TableVersion,
  Tuple,
} from '../../contracts/change.ts';
import { xidFrom } from '../../core/xid.ts';
import type { TextSession } from '../../postgres/text-session.ts';

/** Changes of a logical slot, decoded just well enough for tests. */
export class SlotLog {
  readonly #session: TextSession;
  readonly #slot: string;
  readonly #tables: Map<number, TableVersion> = new Map();
  #transaction: { lsn: bigint; xid: bigint; seq: number } | undefined;
  #versions = 0;

  private constructor(session: TextSession, slot: string) {
    this.#session = session;
    this.#slot = slot;
  }

  /** Of all tables of the session's database, roots standing for their partitions. */
  static async open(session: TextSession): Promise<SlotLog> {
    const slot = `snapshot_test_${process.pid}_${Date.now()}`;
    await session.query(
      'CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root = true)',
    );
    await session.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    return new SlotLog(session, slot);
  }

  /** What was committed since the last call. */
  async read(): Promise<readonly Change[]> {
    // A slot gives what has been flushed, and waits where half a record has been.
    await this.#session.query('SET synchronous_commit = local');
    await this.#session.query(`SELECT pg_logical_emit_message(true, 'flush', '')`);
    const rows = await this.#session.query(
      `SELECT substr(data::text, 3) FROM pg_logical_slot_get_binary_changes(
         '${this.#slot}', NULL, NULL, 'proto_version', '1', 'publication_names', 'everything')`,
    );
    return rows.flatMap(([data]) => this.#decode(Buffer.from(data as string, 'hex')));
  }

  drop(): Promise<unknown> {
    return this.#session.query(`SELECT pg_drop_replication_slot('${this.#slot}')`);
  }

  #decode(frame: Buffer): readonly Change[] {
    const reader = new FrameReader(frame);
    switch (reader.letter()) {
      case 'B': {
        const lsn = reader.int64();
        reader.int64();
        this.#transaction = { lsn, xid: xidFrom(BigInt(reader.int32()), 3n), seq: 0 };
        return [];
      }
      case 'R':
        this.#relation(reader);
        return [];
      case 'I':
        return this.#row('INSERT', reader);
      case 'U':
        return this.#row('UPDATE', reader);
      case 'D':
        return this.#row('DELETE', reader);
      case 'T': {
        const count = reader.int32();
        reader.letter();
        const oids = Array.from({ length: count }, () => reader.int32());
        return oids.map((oid) => this.#change('TRUNCATE', oid, undefined, undefined));
      }
      default:
        return [];
    }
  }

  #relation(reader: FrameReader): void {
    const oid = reader.int32();
    const schema = reader.text();
    const name = reader.text();
    reader.letter();
    const columns = Array.from({ length: reader.int16() }, (): CapturedColumn => {
      const isKey = reader.letter() === '\u0001';
      const column = { name: reader.text(), typeOid: reader.int32(), typeModifier: reader.int32() };
      return { ...column, isKey, valueKind: 'text' };
    });
    const id = this.#versions++;
    this.#tables.set(oid, { id, oid, schema, name, replicaIdentity: 'default', columns });
  }

  #row(operation: Operation, reader: FrameReader): readonly Change[] {
    const oid = reader.int32();
    const keys = this.#tables.get(oid)?.columns.map(({ isKey }) => isKey) ?? [];
    let before: Tuple | undefined;
    let kind = reader.letter();
    if (kind === 'K' || kind === 'O') {
      const isKey = kind === 'K';
      before = reader.tuple().map((value, index) => (isKey && !keys[index] ? undefined : value));
      kind = operation === 'UPDATE' ? reader.letter() : '';
    }
    return [this.#change(operation, oid, before, kind === 'N' ? reader.tuple() : undefined)];
  }

  #change(
    operation: Operation,
    oid: number,
    before: Tuple | undefined,
    after: Tuple | undefined,
  ): Change {
    const transaction = this.#transaction;
    if (transaction === undefined) throw new TypeError('a change outside of a transaction');
    const { lsn, xid } = transaction;
    return {
      position: { epoch: 1, lsn, seq: transaction.seq++ },
      walLsn: lsn,
      committedAtMicros: 0n,
      xid,
      operation,
      table: this.#tables.get(oid),
      before,
      after,
      schemaChange: undefined,
    };
  }
}

class FrameReader {
  readonly #frame: Buffer;
  #at = 0;

  constructor(frame: Buffer) {
    this.#frame = frame;
  }

  letter(): string {
    return String.fromCharCode(this.#frame.readUInt8(this.#at++));
  }

  int16(): number {
    this.#at += 2;
    return this.#frame.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#frame.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#frame.readBigInt64BE(this.#at - 8);
  }

  text(): string {
    const end = this.#frame.indexOf(0, this.#at);
    const text = this.#frame.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  tuple(): Tuple {
    return Array.from({ length: this.int16() }, () => {
      const kind = this.letter();
      if (kind === 'n') return null;
      if (kind === 'u') return undefined;
      const length = this.int32();
      this.#at += length;
      return this.#frame.toString('utf8', this.#at - length, this.#at);
    });
  }
}
