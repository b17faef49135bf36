import { type ChangePosition, comparePositions } from '../contracts/change.ts';
import { printLsn } from '../core/lsn.ts';
import type { LogState } from './log-state.ts';

/**
 * Why the log no longer has what follows a position; undefined when it has. That an epoch has ended
 * is not told here: what is left of it can be read, and then the reader meets its end.
 */
export function missingBehind({ trimmed }: LogState, position: ChangePosition): string | undefined {
  // Epoch 0 is from wherever the log begins.
  if (position.epoch === 0) return undefined;
  if (trimmed === undefined || comparePositions(position, trimmed) >= 0) return undefined;
  const [from, to] = [printLsn(position.lsn), printLsn(trimmed.lsn)];
  return `What was committed after ${from} and up to ${to} was removed from the log by retention.`;
}
