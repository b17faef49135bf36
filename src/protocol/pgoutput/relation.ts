import type { TableVersion } from '../../contracts/change.ts';
import { changeDamaged } from '../../core/errors/changes.ts';
import { type FrameCursor, openFrame, readSubxid } from './frame-cursor.ts';
import { pgoutputMessage } from './message-type.ts';

/** What the table of the changes that follow looks like. */
export type RelationMessage = {
  readonly subxid: number | undefined;
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: TableVersion['replicaIdentity'];
  readonly columns: readonly RelationColumn[];
};

export type RelationColumn = {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** Part of the replica identity; with `full` every column is. */
  readonly isKey: boolean;
};

export function decodeRelation(
  bytes: Buffer,
  start: number,
  end: number,
  streamed: boolean,
): RelationMessage {
  const type = pgoutputMessage.relation;
  const cursor = openFrame(bytes, start, end, type);
  const message = {
    subxid: readSubxid(cursor, type, streamed),
    oid: cursor.uint32(),
    // The name of this one schema is left out on the wire.
    schema: cursor.text() || 'pg_catalog',
    name: cursor.text(),
    replicaIdentity: readIdentity(cursor),
    columns: readColumns(cursor),
  };
  cursor.finish();
  return message;
}

function readIdentity(cursor: FrameCursor): TableVersion['replicaIdentity'] {
  const letter = String.fromCharCode(cursor.byte());
  switch (letter) {
    case 'd':
      return 'default';
    case 'n':
      return 'nothing';
    case 'f':
      return 'full';
    case 'i':
      return 'index';
    default:
      throw changeDamaged(`There is no replica identity of kind ${JSON.stringify(letter)}.`);
  }
}

function readColumns(cursor: FrameCursor): RelationColumn[] {
  const count = cursor.uint16();
  const columns: RelationColumn[] = [];
  for (let i = 0; i < count; i++) {
    const isKey = (cursor.byte() & 1) !== 0;
    const name = cursor.text();
    columns.push({ name, typeOid: cursor.uint32(), typeModifier: cursor.int32(), isKey });
  }
  return columns;
}
