import type { StreamRef } from '../../protocol/streams/stream-key.ts';
import type { AccessByDatabase, RedisServices } from '../services.ts';
import { openDatabase, permitView, viewStream } from './stream-view.ts';

/** How many entries the client may see the log has of a stream; 0 of one that does not exist. */
export async function lengthOfStream(
  ref: StreamRef | undefined,
  services: RedisServices,
  access: AccessByDatabase,
): Promise<number> {
  if (ref === undefined) return 0;
  const database = openDatabase(services.databases(), ref.database);
  const { permitted } = await permitView(await viewStream(ref, database), access);
  return permitted.size === 0 ? 0 : database.reader.count(permitted, ref.epoch);
}
