import type { Action } from '../run-context.ts';

/** `$ transcript` runs its body like a record and compares every message that comes back. */
export const transcript: Action = async (run, block) => {
  run.expectMessages(block, await run.execute(block.body));
};
