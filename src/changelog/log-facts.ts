import { renameSync } from 'node:fs';
import { stateKey } from './format.ts';
import { asLogError } from './lmdb-error.ts';
import { currentEpoch, decodeState, type LogSource, type LogState } from './log-state.ts';
import { closeLogStore, openLogForReading } from './log-store.ts';
import { surviving } from './opening-marker.ts';

/** The state of a log, without opening it for writing; undefined while there is none. */
export function readLogState(directory: string): Promise<LogState | undefined> {
  return surviving(directory, () => readState(directory));
}

async function readState(directory: string): Promise<LogState | undefined> {
  const store = openLogForReading(directory);
  if (store === undefined) return undefined;
  try {
    const bytes = store.meta.get(stateKey);
    return bytes === undefined ? undefined : decodeState(bytes);
  } catch (error) {
    throw asLogError(error);
  } finally {
    await closeLogStore(store);
  }
}

export function isOfSource(state: LogState, source: LogSource): boolean {
  return (
    state.source.systemId === source.systemId && state.source.databaseOid === source.databaseOid
  );
}

/** The log of another database is kept, under a name that says of which. */
export function putAside(directory: string, state: LogState): void {
  const { systemId, databaseOid } = state.source;
  const { epoch } = currentEpoch(state);
  renameSync(directory, `${directory}.${systemId}-${databaseOid}-e${epoch}-${Date.now()}`);
}
