import { redisReadBytesMax } from '../../core/limits.ts';
import { firstStreamId, lastStreamId } from '../../protocol/streams/stream-id.ts';
import type { StreamRef } from '../../protocol/streams/stream-key.ts';
import type { AccessByDatabase, RedisServices } from '../services.ts';
import { collectBackward, collectForward } from './collect.ts';
import { openDatabase, permitView, requireEpoch, viewStream } from './stream-view.ts';

export type StreamDescription = {
  readonly length: number;
  /** Of what the log holds now; encoded entries, at most as many as asked for. */
  readonly first: readonly Buffer[];
  readonly last: Buffer;
};

/** Undefined: there is no entry the client may see. */
export async function describeStream(
  ref: StreamRef | undefined,
  firstMax: number,
  services: RedisServices,
  access: AccessByDatabase,
): Promise<StreamDescription | undefined> {
  if (ref === undefined) return undefined;
  const database = openDatabase(services.databases(), ref.database);
  const view = await permitView(await viewStream(ref, database), access);
  const epoch = view.epoch.kind === 'forgotten' ? undefined : requireEpoch(view);
  if (epoch === undefined || view.permitted.size === 0) return undefined;
  const all = { low: firstStreamId, high: lastStreamId, bytesMax: redisReadBytesMax };
  const { printEntry } = services;
  const last = await collectBackward(view, epoch, { ...all, countMax: 1 }, printEntry);
  if (last.entries[0] === undefined) return undefined;
  const first = await collectForward(view, epoch, { ...all, countMax: firstMax }, printEntry);
  const length = await database.reader.count(view.permitted, ref.epoch);
  return { length, first: first.entries, last: last.entries[0] };
}
