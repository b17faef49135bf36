import { parentPort } from 'node:worker_threads';
import { rewrite } from '../lowering/rewrite.ts';
import type { WorkerAnswer, WorkerQuestion } from './parser-worker.ts';

/** The inside of a parser worker: one text at a time, answered or lost with the worker. */
const port = parentPort;
port?.on('message', async (question: WorkerQuestion) => {
  let answer: WorkerAnswer;
  try {
    answer = { kind: 'rewritten', rewrite: await rewrite(question.input) };
  } catch (error) {
    // `rewrite` never throws for what a client sends: the parser itself is broken now.
    answer = { kind: 'broken', reason: String(error) };
  }
  port.postMessage(answer);
});
port?.postMessage({ kind: 'started' } satisfies WorkerAnswer);
