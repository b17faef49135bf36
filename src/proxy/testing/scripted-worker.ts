import { parentPort } from 'node:worker_threads';
import type { WorkerAnswer, WorkerQuestion } from '../parser-worker.ts';

/** A parser worker that does what the text says, to see what becomes of the pool around it. */
const port = parentPort;

port?.on('message', ({ input }: WorkerQuestion) => {
  const { text } = input;
  switch (text.split(' ')[0]) {
    case 'loop':
      for (;;);
    case 'exit':
      process.exit(3);
      break;
    case 'throw':
      throw new RangeError('memory access out of bounds');
    case 'broken':
      answer({ kind: 'broken', reason: 'unreachable' });
      return;
    case 'hoard': {
      const kept: number[][] = [];
      for (;;) kept.push(new Array(1_000_000).fill(kept.length));
    }
    case 'recurse':
      answer({ kind: 'rewritten', rewrite: sent(String(depth(0))) });
      return;
    default:
      answer({ kind: 'rewritten', rewrite: sent(`${text} lowered`) });
  }
});
answer({ kind: 'started' });

function answer(message: WorkerAnswer): void {
  port?.postMessage(message);
}

function sent(text: string): Extract<WorkerAnswer, { kind: 'rewritten' }>['rewrite'] {
  return { kind: 'send', text, positions: [], errors: [], tags: [], loweredStatements: 1 };
}

/** How deep a recursion may go. */
function depth(reached: number): number {
  try {
    return depth(reached + 1);
  } catch {
    return reached;
  }
}
