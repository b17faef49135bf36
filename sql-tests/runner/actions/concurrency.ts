import { Mismatch } from '../format/test-failure.ts';
import type { Action, RunContext } from '../run-context.ts';
import type { Session } from '../session.ts';

/** Looks at a fact again and again; each look is a round trip to the server. */
const looksMax = 5_000;

/** `$ start` sends a statement on the current session and does not wait for its answer. */
export const start: Action = async (run, block) => {
  const statement = run.takeStatement(block.body);
  run.started.set(run.session.name, statement);
  run.session.start(statement);
};

/** `$ finish` waits for the answer to what `$ start` sent, and compares all of it. */
export const finish: Action = async (run, block) => {
  const statement = run.started.get(run.session.name);
  if (statement === undefined) throw new Mismatch('nothing was started on this session');
  run.started.delete(run.session.name);
  const messages = await run.session.finish(statement);
  await run.learnTypes(messages);
  run.expectMessages(block, messages);
};

/** `$ blocked NAME` waits until session NAME waits for a lock. */
export const blocked: Action = async (run, _block, argument) => {
  const { processId } = known(run, argument).connection;
  await untilTrue(
    run,
    `cardinality(pg_blocking_pids(${processId})) > 0`,
    `${argument} never waited`,
  );
};

/** `$ busy NAME` waits until the server works on a statement of session NAME. */
export const busy: Action = async (run, _block, argument) => {
  const { processId } = known(run, argument).connection;
  const isActive = `EXISTS (SELECT FROM pg_stat_activity
    WHERE pid = ${processId} AND state = 'active' AND wait_event = 'PgSleep')`;
  await untilTrue(run, isActive, `${argument} never slept`);
};

/** `$ cancel NAME` asks the server to cancel what session NAME is doing. */
export const cancel: Action = async (run, _block, argument) => {
  await known(run, argument).connection.cancel();
};

/** `$ notification` waits for one to arrive on the current session, and compares it. */
export const notification: Action = async (run, block) => {
  run.expectMessages(block, [await run.session.connection.next()]);
};

function known(run: RunContext, name: string): Session {
  const session = run.sessionNamed(name);
  if (session === undefined) throw new Mismatch(`no session is named ${name}`);
  return session;
}

async function untilTrue(run: RunContext, condition: string, otherwise: string): Promise<void> {
  for (let look = 0; look < looksMax; look += 1) {
    const [row] = await run.administrator.rows(`SELECT ${condition}`);
    if (row?.[0] === 't') return;
  }
  throw new Mismatch(otherwise);
}
