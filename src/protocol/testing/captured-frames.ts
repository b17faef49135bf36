import { Client } from 'pg';
import type { TableVersion } from '../../contracts/change.ts';
import { testPostgres } from '../../testing/test-postgres.ts';
import { type DecodedChange, decodeChange, type StoredFrame } from '../changes/decode-change.ts';
import { resolveValueKind, type TypeFacts } from '../changes/value-kind.ts';
import { pgoutputMessage, relationOffset } from '../pgoutput/message-type.ts';
import { decodeRelation } from '../pgoutput/relation.ts';
import { decodeStreamAbort } from '../pgoutput/stream-abort.ts';
import { truncatedRelationCount, truncatedRelationsOffset } from '../pgoutput/truncate.ts';

/** A database all of whose changes are published to a slot. */
export type Captured = {
  readonly client: Client;
  /** Rows of raw text, as Postgres prints the values. */
  rows(sql: string, values?: readonly unknown[]): Promise<(string | null)[][]>;
  /** What has been committed since the last call, message by message. */
  frames(): Promise<Buffer[]>;
  /** The same, which a later call gets again. */
  peek(): Promise<Buffer[]>;
  /** The same as changes, without those of aborted subtransactions. */
  changes(): Promise<DecodedChange[]>;
  close(): Promise<void>;
};

/**
 * As the replication session will have them; little memory, so that transactions are streamed; and
 * commits that are flushed, since only these are decoded.
 */
const settings = `SET client_encoding = 'UTF8'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';
  SET extra_float_digits = 3; SET timezone = 'UTC'; SET bytea_output = 'hex';
  SET logical_decoding_work_mem = '64kB'; SET synchronous_commit = on`;

const publication = 'CREATE PUBLICATION p FOR ALL TABLES WITH (publish_via_partition_root = true)';

export async function openCaptured(): Promise<Captured> {
  const postgres = await testPostgres();
  const database = await postgres.createDatabase();
  const client = new Client({ connectionString: postgres.url(database) });
  await client.connect();
  await client.query(settings);
  await client.query(publication);
  await client.query(`SELECT pg_create_logical_replication_slot('${database}', 'pgoutput')`);
  const types = { getTypeParser: () => (text: string) => text };
  const rows = async (text: string, values: readonly unknown[] = []) => {
    const query = { text, values: [...values], rowMode: 'array' as const, types };
    return (await client.query<(string | null)[]>(query)).rows;
  };
  const read = async (how: 'get' | 'peek'): Promise<Buffer[]> => {
    const { rows: sent } = await client.query<{ data: Buffer }>(
      `SELECT data FROM pg_logical_slot_${how}_binary_changes($1, NULL, NULL, 'proto_version', '2',
        'publication_names', 'p', 'messages', 'true', 'streaming', 'on')`,
      [database],
    );
    return sent.map(({ data }) => data);
  };
  return {
    client,
    rows,
    frames: () => read('get'),
    peek: () => read('peek'),
    async changes() {
      return changesOf(await read('get'), await typeFacts(rows));
    },
    async close() {
      await client.query(`SELECT pg_drop_replication_slot('${database}')`);
      await client.end();
    },
  };
}

async function typeFacts(rows: Captured['rows']): Promise<ReadonlyMap<number, TypeFacts>> {
  const found = await rows(
    'SELECT oid, typtype, typbasetype, typelem, typdelim, typoutput FROM pg_type',
  );
  return new Map(
    found.map(([oid, typtype, base, element, typdelim, typoutput]) => [
      Number(oid),
      {
        typtype: typtype!,
        typbasetype: Number(base),
        typelem: Number(element),
        typdelim: typdelim!,
        typoutput: typoutput!,
      },
    ]),
  );
}

/** Each frame with whether it was sent inside a stream. */
export function withStreams(frames: readonly Buffer[]): StoredFrame[] {
  let streamed = false;
  return frames.map((bytes) => {
    const frame = { bytes, start: 0, end: bytes.length, streamed };
    if (bytes[0] === pgoutputMessage.streamStart) streamed = true;
    if (bytes[0] === pgoutputMessage.streamStop) streamed = false;
    return bytes[0] === pgoutputMessage.streamStop ? { ...frame, streamed: false } : frame;
  });
}

/** As a change log does it: the OID in a frame gives way to the id of a table version. */
function changesOf(
  frames: readonly Buffer[],
  types: ReadonlyMap<number, TypeFacts>,
): DecodedChange[] {
  const versions: TableVersion[] = [];
  const current = new Map<number, TableVersion>();
  const found: { readonly subxid: number; readonly change: DecodedChange }[] = [];
  const aborted = new Set<number>();
  for (const frame of withStreams(frames)) {
    const { bytes, streamed } = frame;
    const type = bytes[0]!;
    if (type === pgoutputMessage.relation) {
      const version = versionOf(frame, versions.length, types);
      versions.push(version);
      current.set(version.oid, version);
      continue;
    }
    if (type === pgoutputMessage.streamAbort) {
      aborted.add(decodeStreamAbort(bytes, 0, bytes.length).subxid);
      continue;
    }
    const offsets = relationOffsets(frame);
    for (const at of offsets) bytes.writeUInt32BE(current.get(bytes.readUInt32BE(at))!.id, at);
    for (let index = 0; index < Math.max(1, offsets.length); index++) {
      const change = decodeChange(frame, (id) => versions[id], index);
      if (change === undefined) continue;
      found.push({ subxid: streamed ? bytes.readUInt32BE(1) : 0, change });
    }
  }
  return found.filter(({ subxid }) => !aborted.has(subxid)).map(({ change }) => change);
}

function relationOffsets({ bytes, end, streamed }: StoredFrame): number[] {
  if (bytes[0] === pgoutputMessage.truncate) {
    const count = truncatedRelationCount(bytes, 0, end, streamed);
    return Array.from({ length: count }, (_, i) => truncatedRelationsOffset(streamed) + 4 * i);
  }
  const at = relationOffset(bytes[0]!, streamed);
  return at === -1 ? [] : [at];
}

function versionOf(
  { bytes, end, streamed }: StoredFrame,
  id: number,
  types: ReadonlyMap<number, TypeFacts>,
): TableVersion {
  const { subxid: _, columns, ...relation } = decodeRelation(bytes, 0, end, streamed);
  return {
    ...relation,
    id,
    columns: columns.map((column) => ({
      ...column,
      valueKind: resolveValueKind(column.typeOid, (oid) => types.get(oid)),
    })),
  };
}
