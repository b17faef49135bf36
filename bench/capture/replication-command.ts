import { pgoutputOptions } from './backlog.ts';

/** As the engine sends it. */
export function replicationCommand(slot: string, start: string): string {
  const options = Object.entries(pgoutputOptions).map(([name, value]) => `${name} '${value}'`);
  return `START_REPLICATION SLOT "${slot}" LOGICAL ${start} (${options.join(', ')})`;
}
