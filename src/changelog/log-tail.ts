import type { ChangePosition } from '../contracts/change.ts';
import { decodeTail, type Tail, tailKey } from './format.ts';
import { tailPollMs } from './limits.ts';
import type { LogStore } from './log-store.ts';

/**
 * Tells waiting readers that a log has grown. The writer is another process, so it looks: one
 * timer for all who wait, none while nobody does.
 */
export class LogTail {
  readonly #store: () => LogStore | undefined;
  readonly #waiting: Set<{ readonly beyond: ChangePosition; readonly wake: () => void }> =
    new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: () => LogStore | undefined) {
    this.#store = store;
  }

  read(): Tail | undefined {
    const bytes = this.#store()?.meta.get(tailKey);
    return bytes === undefined ? undefined : decodeTail(bytes);
  }

  changed(beyond: ChangePosition, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiter = {
        beyond,
        wake: () => {
          signal.removeEventListener('abort', waiter.wake);
          this.#waiting.delete(waiter);
          if (this.#waiting.size === 0) this.#stop();
          resolve();
        },
      };
      if (signal.aborted || this.#isBeyond(beyond)) {
        resolve();
        return;
      }
      this.#waiting.add(waiter);
      signal.addEventListener('abort', waiter.wake);
      this.#timer ??= setInterval(() => this.#look(), tailPollMs);
    });
  }

  close(): void {
    for (const waiter of [...this.#waiting]) waiter.wake();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const waiter of [...this.#waiting]) {
      if (this.#isBeyond(waiter.beyond)) waiter.wake();
    }
  }

  #isBeyond(position: ChangePosition): boolean {
    let tail: Tail | undefined;
    try {
      tail = this.read();
    } catch {
      // Damaged or gone: whoever waits reads, and is told.
      return true;
    }
    if (tail === undefined) return false;
    if (tail.epoch !== position.epoch) return tail.epoch > position.epoch;
    if (tail.lastCommitLsn !== position.lsn) return tail.lastCommitLsn > position.lsn;
    return tail.lastChanges - 1 > position.seq;
  }
}
