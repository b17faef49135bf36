import { Mismatch } from '../format/test-failure.ts';
import type { Action, RunContext } from '../run-context.ts';

/** Looks, a hundredth of a second apart, which the server waits. */
const looksMax = 6_000;

/** `$ settle` waits until everything that was committed so far is in the change log. */
export const settle: Action = async (run) => {
  await untilTrue(run, "to_regprocedure('heliosdb.captured_lsn()') IS NOT NULL");
  await untilTrue(run, 'heliosdb.captured_lsn() IS NOT NULL');
  const [marker] = await run.administrator.rows(
    "SELECT pg_logical_emit_message(true, 'settle', '')",
  );
  await untilTrue(run, `heliosdb.captured_lsn() > '${marker?.[0]}'`);
};

async function untilTrue(run: RunContext, condition: string): Promise<void> {
  for (let look = 0; look < looksMax; look += 1) {
    const [row] = await run.administrator.rows(`SELECT ${condition} FROM pg_sleep(0.01)`);
    if (row?.[0] === 't') return;
  }
  throw new Mismatch(`never became true: ${condition}`);
}
