import type { TableVersion } from '../../contracts/change.ts';
import { printStreamKey, type TableName } from '../../protocol/streams/stream-key.ts';
import type { AccessByDatabase, RedisServices } from '../services.ts';
import { openDatabase, type PermittedView, permitView, viewStream } from './stream-view.ts';

/** The keys of all streams that have an entry the client may see, sorted. */
export async function listKeys(
  services: RedisServices,
  access: AccessByDatabase,
): Promise<readonly string[]> {
  const keys: string[] = [];
  const databases = services.databases();
  // Before there is any capture there is a database whose log is not open, never an empty list.
  const names = databases.length === 0 ? [undefined] : databases.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    const opened = openDatabase(databases, name);
    const database = index === 0 ? undefined : name;
    const view = await viewStream({ database, table: undefined, epoch: 1 }, opened);
    keys.push(...(await keysOf(await permitView(view, access))));
  }
  return keys.sort();
}

async function keysOf(view: PermittedView): Promise<string[]> {
  const { bounds, database, permitted, ref } = view;
  const tables = new Map<string, TableName & { readonly versions: Set<number> }>();
  for (const version of view.versions) {
    if (permitted.has(version.id)) versionsOf(tables, version).add(version.id);
  }
  const keys: string[] = [];
  const isSoleEpoch = bounds.epochs.length === 1;
  for (const { epoch } of bounds.epochs) {
    let isEmpty = true;
    for (const { schema, name, versions } of tables.values()) {
      // Only of the log as a whole it is known without counting that each table has a change.
      if (!isSoleEpoch && (await database.reader.count(versions, epoch)) === 0) continue;
      isEmpty = false;
      keys.push(printStreamKey({ ...ref, table: { schema, name }, epoch }));
    }
    if (!isEmpty) keys.push(printStreamKey({ ...ref, epoch }));
  }
  return keys;
}

function versionsOf(
  tables: Map<string, TableName & { readonly versions: Set<number> }>,
  { schema, name }: TableVersion,
): Set<number> {
  const key = JSON.stringify([schema, name]);
  const found = tables.get(key) ?? { schema, name, versions: new Set<number>() };
  tables.set(key, found);
  return found.versions;
}
