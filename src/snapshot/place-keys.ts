import { snapshotPlacedKeysMax } from '../core/limits.ts';
import type { TextSession } from '../postgres/text-session.ts';
import { type KeyValue, placingQuery, type TableKey } from './snapshot-key.ts';
import type { SnapshotState } from './snapshot-state.ts';

/** Where a key belongs. */
export type KeyPlace = {
  /** Index of its chunk; as many as there are chunks when its chunk has not been read. */
  readonly chunk: number;
  /** Index of the last point of this key. */
  readonly point: number | undefined;
};

/** Lets Postgres place keys in the chunks of a snapshot, by the order its index has. */
export async function placeKeys(
  session: TextSession,
  state: SnapshotState,
  keys: readonly KeyValue[],
): Promise<readonly KeyPlace[]> {
  const { key } = state.table;
  if (key === null) throw new TypeError('a table without a key has no places');
  const places: KeyPlace[] = [];
  for (let from = 0; from < keys.length; from += snapshotPlacedKeysMax) {
    const some = keys.slice(from, from + snapshotPlacedKeysMax);
    places.push(...(await placeSome(session, state, key, some)));
  }
  return places;
}

async function placeSome(
  session: TextSession,
  { chunks, points }: SnapshotState,
  key: TableKey,
  keys: readonly KeyValue[],
): Promise<readonly KeyPlace[]> {
  const bounds = chunks.flatMap(({ upTo }) => (upTo === null ? [] : [upTo]));
  const all = [...keys, ...bounds, ...points.map((point) => point.key)];
  const columns = key.columns.map((_, index) => all.map((value) => value[index]));
  const rows = await session.query(placingQuery(key, keys.length, bounds.length), columns);
  return rows.map(([chunk, point]) => ({
    chunk: Number(chunk),
    point: point === null || point === undefined ? undefined : Number(point) - 1,
  }));
}
