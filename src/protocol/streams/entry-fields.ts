import type { Change } from '../../contracts/change.ts';
import { printLsn } from '../../core/lsn.ts';
import type { PrintedChange } from '../changes/row-json.ts';
import type { StreamId } from './stream-id.ts';
import { printTableName } from './stream-key.ts';

export function idOfChange({ position }: Change): StreamId {
  return { lsn: position.lsn, seq: BigInt(position.seq) };
}

/** Names and values of the entry of a change; `printed` is what of it may be seen. */
export function entryFields(
  change: Change,
  { key, before, after, unchanged }: PrintedChange,
): readonly (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [['operation', change.operation]];
  if (change.table !== undefined) fields.push(['table', printTableName(change.table)]);
  fields.push(
    ['lsn', printLsn(change.position.lsn)],
    ['xid', change.xid.toString()],
    ['committed_at', printMicros(change.committedAtMicros)],
  );
  if (key !== undefined) fields.push(['key', key]);
  if (before !== undefined) fields.push(['before', before]);
  if (after !== undefined) fields.push(['after', after]);
  if (unchanged.length > 0) fields.push(['unchanged', JSON.stringify(unchanged)]);
  return fields;
}

/** Microseconds since 1970 as `2026-01-02T03:04:05.000006Z`. */
export function printMicros(micros: bigint): string {
  const inSecond = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = (micros - inSecond) / 1_000_000n;
  const upToSecond = new Date(Number(seconds) * 1_000).toISOString().slice(0, -'.000Z'.length);
  return `${upToSecond}.${inSecond.toString().padStart(6, '0')}Z`;
}
