/** The process that receives a backlog; `receiver.ts` starts and measures it. */
import type { FromReceiver, OpenWay, ReceiveTask, Way } from './receiver.ts';

/** Loaded when it is wanted, so that the memory of one is not in the figures of another. */
const ways: Readonly<Record<Way, () => Promise<OpenWay>>> = {
  log: async () => (await import('./ways/log.ts')).openLog,
  frames: async () => (await import('./ways/frames.ts')).openFrames,
  driver: async () => (await import('./ways/driver.ts')).openDriver,
  package: async () => (await import('./ways/package.ts')).openPackage,
};

function tell(message: FromReceiver): void {
  process.send?.(message);
}

async function serve(task: ReceiveTask): Promise<void> {
  const open = await ways[task.way]();
  const run = await open(task);
  const told = new Promise<void>((resolve) => process.once('message', () => resolve()));
  tell({ kind: 'ready' });
  await told;
  const [from, cpuFrom] = [performance.now(), process.cpuUsage()];
  const count = await run();
  const ms = performance.now() - from;
  const cpu = process.cpuUsage(cpuFrom);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  tell({ kind: 'received', received: { ms, cpuSeconds, count } });
}

process.once('message', (task) => {
  serve(task as ReceiveTask).catch((error: unknown) => {
    tell({ kind: 'failed', detail: error instanceof Error ? error.message : String(error) });
  });
});
process.once('disconnect', () => process.exit());
