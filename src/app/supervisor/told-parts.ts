import type { CaptureReport } from '../../contracts/capture-metrics.ts';
import type { CaptureState, PartState } from '../../http/node-view.ts';

/** What is looked at of one process of a role. */
export type ProcessFacts = Pick<PartState, 'state' | 'restarts'> & {
  readonly pid: number | undefined;
};

/** A role as its processes make it. */
export function partOf(name: string, processes: readonly ProcessFacts[]): PartState {
  const silent = processes.flatMap(({ state, pid }) => (state === 'silent' ? (pid ?? []) : []));
  return {
    name,
    // A role serves as long as one of its processes does.
    state:
      processes.find(({ state }) => state === 'up')?.state ?? processes[0]?.state ?? 'starting',
    restarts: processes.reduce((sum, { restarts }) => sum + restarts, 0),
    pids: processes.flatMap(({ pid }) => pid ?? []),
    silentPids: silent,
  };
}

/**
 * What the engine said of its captures is so for as long as it can take it back: of one that is
 * silent or has ended nobody here knows, and another node may have taken over.
 */
export function knownCaptures(
  reported: readonly CaptureReport[],
  engine: PartState['state'] | undefined,
): CaptureState[] {
  if (engine === 'up') return [...reported];
  return reported.map(({ database }) => ({ database, state: 'unknown', error: undefined }));
}
