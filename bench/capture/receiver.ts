import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { anonymousBytes } from '../../src/testing/process-memory.ts';

/** How a backlog is received; a file in `ways` each. */
export type Way = 'log' | 'frames' | 'driver' | 'package';

/** What the process that receives is told. */
export type ReceiveTask = {
  readonly way: Way;
  readonly url: string;
  readonly slot: string;
  readonly start: string;
  readonly end: string;
  /** Where a log goes. */
  readonly directory: string;
};

/** Opens what is needed; what it returns receives, and answers how much that was. */
export type OpenWay = (task: ReceiveTask) => Promise<() => Promise<number>>;

/** What it answers. */
export type Received = {
  readonly ms: number;
  /** Of all its threads, seconds. */
  readonly cpuSeconds: number;
  /** Messages of pgoutput, or changes in the log. */
  readonly count: number;
};

export type FromReceiver =
  | { readonly kind: 'ready' }
  | { readonly kind: 'received'; readonly received: Received }
  | { readonly kind: 'failed'; readonly detail: string };

/** How often the memory of a process is looked at, ms. */
const memoryPollMs = 20;

const receiveProcess = fileURLToPath(new URL('receive-process.js', import.meta.url));

/**
 * Receives a backlog in a process of its own. The time begins when its modules are loaded and it
 * is told to go, after `beforeStart`, and ends when everything is received or, in a log, durable.
 */
export async function receive(
  task: ReceiveTask,
  beforeStart: () => Promise<void> = async () => undefined,
): Promise<Received & { readonly anonymousBytesMax: number }> {
  const child = fork(receiveProcess, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  let anonymousBytesMax = 0;
  const watch = setInterval(() => {
    anonymousBytesMax = Math.max(anonymousBytesMax, anonymousBytes(child.pid ?? 0));
  }, memoryPollMs);
  try {
    const received = await new Promise<Received>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`it ended with ${signal ?? code}`)));
      child.on('message', (message: FromReceiver) => {
        if (message.kind === 'ready') beforeStart().then(() => child.send({ kind: 'go' }), reject);
        else if (message.kind === 'received') resolve(message.received);
        else reject(new Error(message.detail));
      });
      child.send(task);
    });
    return { ...received, anonymousBytesMax };
  } finally {
    clearInterval(watch);
    child.removeAllListeners();
    if (child.connected) child.disconnect(); // It exits then, and writes its profile if it has one.
  }
}
