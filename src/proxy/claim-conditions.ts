import { serialize } from 'pg-protocol';
import type { SessionContext } from './session-context.ts';

/** Invariant 10: until then neither the transaction status nor the response to a probe is sure. */
export async function drainQueue(context: SessionContext): Promise<void> {
  const { queue, wires } = context;
  if (queue.isEmpty) return;
  wires.toServer(serialize.flush());
  while (!queue.isEmpty && !queue.isCopyOpen && !context.isOpaque) await context.serverProgress();
}

/** While the backend skips or takes copy data it does not read the text at all. */
export function isIgnored(context: SessionContext): boolean {
  return context.queue.isSkipping || context.queue.isCopyOpen || context.isOpaque;
}
