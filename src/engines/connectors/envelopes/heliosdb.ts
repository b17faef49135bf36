import type { Change } from '../../../contracts/change.ts';
import type { VersionRights } from '../../../contracts/change-access.ts';
import { printLsn } from '../../../core/lsn.ts';
import { printCommitTime } from '../../../protocol/changes/commit-time.ts';
import { printChange } from '../../../protocol/changes/row-json.ts';
import type { Encode } from './encode.ts';

/** Flat JSON of our own; the values are those of SHOW CDC EVENTS. */
export function heliosdbEnvelope(database: string): Encode {
  const head = `,"database":${JSON.stringify(database)}`;
  return (change: Change, rights: VersionRights) => {
    const { position, table, schemaChange } = change;
    const { key, before, after, unchanged } = printChange(change, rights);
    const named = table ?? schemaChange;
    const lsn = printLsn(position.lsn);
    let value =
      `{"id":"${position.epoch}:${lsn}:${position.seq}"${head}` +
      `,"schema":${JSON.stringify(named?.schema ?? null)}` +
      `,"table":${JSON.stringify(named?.name ?? null)}` +
      `,"operation":"${change.operation}","epoch":${position.epoch},"lsn":"${lsn}"` +
      `,"seq":${position.seq},"xid":"${change.xid}"` +
      `,"committed_at":"${printCommitTime(change.committedAtMicros)}"`;
    if (key !== undefined) value += `,"key":${key}`;
    if (before !== undefined) value += `,"before":${before}`;
    if (after !== undefined) value += `,"after":${after}`;
    if (unchanged.length > 0) value += `,"unchanged":${JSON.stringify(unchanged)}`;
    return { key, value: `${value}}` };
  };
}
