import type { Action } from '../run-context.ts';
import { requireSuccess } from './statement.ts';

/** `$ plan` compares the SQL that a statement is lowered to. */
export const plan: Action = async (run, block) => {
  const messages = await run.execute(`EXPLAIN (LOWERED) ${block.body}`);
  requireSuccess(messages);
  const lines = messages.flatMap((message) =>
    message.kind === 'DataRow' ? (message.values[0]?.toString() ?? '').split('\n') : [],
  );
  // An empty line would end the block.
  run.expect(
    block,
    lines.map((line) => (line === '' ? '(empty)' : line)),
  );
};
