import type { Change } from '../../contracts/change.ts';
import type { VersionRights } from '../../contracts/change-access.ts';
import type { EpochBounds } from '../../contracts/log-reader.ts';
import { printLsn } from '../../core/lsn.ts';
import { printCommitTime } from './commit-time.ts';
import { printChangeWith } from './row-json.ts';
import type { ScalarPrinter } from './scalar-json.ts';

/**
 * A change as one JSON object for `json_to_recordset`, where key, before, after and unchanged are
 * of type json or jsonb. `print` is that of `scalarPrinterFor` the encoding of the database.
 */
export function printEventRow(change: Change, rights: VersionRights, print: ScalarPrinter): string {
  const { position, table, schemaChange } = change;
  const printed = printChangeWith(change, rights, print);
  const named = table ?? schemaChange;
  const unchanged = printed.unchanged.length === 0 ? 'null' : JSON.stringify(printed.unchanged);
  return (
    `{"epoch":${position.epoch},"lsn":"${printLsn(position.lsn)}","seq":${position.seq}` +
    `,"committed_at":"${printCommitTime(change.committedAtMicros)}","xid":"${change.xid}"` +
    `,"table_schema":${JSON.stringify(named?.schema ?? null)}` +
    `,"table_name":${JSON.stringify(named?.name ?? null)}` +
    `,"operation":"${change.operation}","key":${printed.key ?? 'null'}` +
    `,"before":${printed.before ?? 'null'},"after":${printed.after ?? 'null'}` +
    `,"unchanged":${unchanged}}`
  );
}

/** Where changes may be missing: between what one epoch had read and where the next one begins. */
export function printGapRow(ended: EpochBounds, begun: EpochBounds): string {
  return JSON.stringify({
    epoch: begun.epoch,
    lsn: printLsn(begun.startLsn),
    // Before a change that was committed there.
    seq: -1,
    operation: 'GAP',
    before: ended.endLsn && { epoch: ended.epoch, lsn: printLsn(ended.endLsn) },
    after: { epoch: begun.epoch, lsn: printLsn(begun.startLsn) },
  });
}
