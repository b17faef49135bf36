import { rangeTooLarge } from '../../core/errors/redis.ts';
import { redisRangeBytesMax } from '../../core/limits.ts';
import { compareStreamIds, type StreamId } from '../../protocol/streams/stream-id.ts';
import type { StreamRef } from '../../protocol/streams/stream-key.ts';
import type { AccessByDatabase, RedisServices } from '../services.ts';
import { collectBackward, collectForward } from './collect.ts';
import {
  type HeldEpoch,
  openDatabase,
  permitView,
  requireEpoch,
  requireFrom,
  requireNoGap,
  type StreamView,
  stateOfEpoch,
  viewStream,
} from './stream-view.ts';

/** Both ends are included. */
export type Range = {
  readonly low: StreamId;
  readonly high: StreamId;
  /** Infinity without COUNT. */
  readonly countMax: number;
  readonly order: 'forward' | 'backward';
};

/**
 * Exactly the entries of a range, or a PgError: what was removed from the log, what is behind the
 * end of an epoch and what does not fit into a reply is never left out without a word.
 */
export async function readRange(
  ref: StreamRef,
  range: Range,
  services: RedisServices,
  access: AccessByDatabase,
): Promise<readonly Buffer[]> {
  const database = openDatabase(services.databases(), ref.database);
  const view = await permitView(await viewStream(ref, database), access);
  const epoch = requireEpoch(view);
  if (epoch === undefined || compareStreamIds(range.low, range.high) > 0) return [];
  const wanted = { ...range, bytesMax: redisRangeBytesMax };
  if (range.order === 'forward') {
    requireFrom(epoch, range.low);
    const found = await collectForward(view, epoch, wanted, services.printEntry);
    return checked(found, view, { epoch, high: range.high });
  }
  const found = await collectBackward(view, epoch, wanted, services.printEntry);
  if (found.isAtStart) await requireStillFrom(view, range.low);
  return checked(found, view, { epoch, high: range.high });
}

/** Reading backward notices only by the bounds that the beginning was removed meanwhile. */
async function requireStillFrom({ database, ref }: StreamView, low: StreamId): Promise<void> {
  const bounds = await database.reader.bounds();
  const epoch = requireEpoch({
    ref,
    database,
    bounds,
    epoch: stateOfEpoch(bounds, ref.epoch),
    versions: [],
  });
  if (epoch !== undefined) requireFrom(epoch, low);
}

function checked(
  { entries, ended }: { readonly entries: readonly Buffer[]; readonly ended: string },
  view: StreamView,
  { epoch, high }: { readonly epoch: HeldEpoch; readonly high: StreamId },
): readonly Buffer[] {
  if (ended === 'bytes') throw rangeTooLarge(redisRangeBytesMax);
  // Somebody who follows a stream by ranges would wait at the end of an epoch for ever.
  const { gap } = epoch;
  if (entries.length === 0 && gap !== undefined && high.lsn >= gap.endLsn)
    requireNoGap(view, epoch);
  return entries;
}
