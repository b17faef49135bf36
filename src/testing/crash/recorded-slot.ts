import type { Client } from 'pg';
import type { TableVersion } from '../../contracts/change.ts';
import { withClient } from '../../postgres/client.ts';
import { decodeChange } from '../../protocol/changes/decode-change.ts';
import { decodeBegin } from '../../protocol/pgoutput/begin.ts';
import { pgoutputMessage } from '../../protocol/pgoutput/message-type.ts';
import { decodeRelation } from '../../protocol/pgoutput/relation.ts';
import {
  truncatedRelationCount,
  truncatedRelationsOffset,
} from '../../protocol/pgoutput/truncate.ts';
import { printChange } from './printed-change.ts';

/** A transaction as the server tells it. */
export type RecordedTransaction = {
  readonly commitLsn: bigint;
  readonly committedAtMicros: bigint;
  /** Its lower 32 bits. */
  readonly xid: number;
  /** As `printChange` prints them. */
  readonly changes: readonly string[];
};

const slot = 'crash_recorder';
/** The server keeps the whole answer of one call. */
const changesPerCall = 20_000;

/**
 * A second slot, read by SQL: whole transactions in commit order, nothing streamed in progress,
 * nothing confirmed before it is here. The server may tell one again after a crash.
 */
export class RecordedSlot {
  readonly #url: () => string;
  #lastLsn = 0n;

  constructor(url: () => string) {
    this.#url = url;
  }

  async create(): Promise<void> {
    await withClient(this.#url(), async (client) => {
      await client.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    });
  }

  /** What has been committed since the last call. */
  async read(): Promise<RecordedTransaction[]> {
    const found: RecordedTransaction[] = [];
    await withClient(this.#url(), async (client) => {
      await client.query(
        `SET client_encoding = 'UTF8'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';
         SET extra_float_digits = 3; SET timezone = 'UTC'; SET bytea_output = 'hex'`,
      );
      for (;;) {
        const frames = await this.#frames(client);
        for (const transaction of transactionsOf(frames)) {
          if (transaction.commitLsn <= this.#lastLsn) continue;
          this.#lastLsn = transaction.commitLsn;
          if (transaction.changes.length > 0) found.push(transaction);
        }
        if (frames.length < changesPerCall) return;
      }
    });
    return found;
  }

  async #frames(client: Client): Promise<readonly Buffer[]> {
    const { rows } = await client.query<{ data: Buffer }>(
      `SELECT data FROM pg_logical_slot_get_binary_changes('${slot}', NULL, ${changesPerCall},
        'proto_version', '1', 'publication_names', 'heliosdb_inserts,heliosdb_updates',
        'messages', 'true')`,
    );
    return rows.map(({ data }) => data);
  }
}

function* transactionsOf(frames: readonly Buffer[]): Generator<RecordedTransaction> {
  const versions: TableVersion[] = [];
  const current = new Map<number, TableVersion>();
  let begun: Omit<RecordedTransaction, 'changes'> | undefined;
  let changes: string[] = [];
  for (const bytes of frames) {
    const end = bytes.length;
    switch (bytes[0]) {
      case pgoutputMessage.begin:
        begun = decodeBegin(bytes, 0, end);
        changes = [];
        break;
      case pgoutputMessage.commit:
        if (begun !== undefined) yield { ...begun, changes };
        break;
      case pgoutputMessage.relation: {
        const { subxid: _, columns, ...relation } = decodeRelation(bytes, 0, end, false);
        const kept = columns.map((column) => ({ ...column, valueKind: 'text' as const }));
        const version = { ...relation, id: versions.length, columns: kept };
        versions.push(version);
        current.set(version.oid, version);
        break;
      }
      default:
        changes.push(...changesOf(bytes, versions, current));
    }
  }
}

/** The oid in a message gives way to the number of the table version, as in a change log. */
function changesOf(
  bytes: Buffer,
  versions: readonly TableVersion[],
  current: ReadonlyMap<number, TableVersion>,
): string[] {
  const printed: string[] = [];
  const places = oidPlaces(bytes);
  for (const at of places) bytes.writeUInt32BE(current.get(bytes.readUInt32BE(at))!.id, at);
  for (let index = 0; index < Math.max(1, places.length); index += 1) {
    const frame = { bytes, start: 0, end: bytes.length, streamed: false };
    const change = decodeChange(frame, (id) => versions[id], index);
    if (change !== undefined && change.table?.schema !== 'heliosdb') {
      printed.push(printChange(change));
    }
  }
  return printed;
}

function oidPlaces(bytes: Buffer): number[] {
  switch (bytes[0]) {
    case pgoutputMessage.insert:
    case pgoutputMessage.update:
    case pgoutputMessage.delete:
      return [1];
    case pgoutputMessage.truncate: {
      const count = truncatedRelationCount(bytes, 0, bytes.length, false);
      return Array.from({ length: count }, (_, n) => truncatedRelationsOffset(false) + 4 * n);
    }
    default:
      return [];
  }
}
