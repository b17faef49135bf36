import type { ChangePosition } from '../../contracts/change.ts';

/** A wait of the other side. */
type Wait = { readonly over: Promise<void>; readonly cancel: () => void };

/** One wait of the other side for all who wait behind the same position, which most do. */
export class SharedWaits {
  readonly #max: number;
  readonly #begin: (beyond: ChangePosition) => Wait;
  readonly #open: Map<string, { readonly wait: Wait; waiters: number }> = new Map();

  constructor(max: number, begin: (beyond: ChangePosition) => Wait) {
    this.#max = max;
    this.#begin = begin;
  }

  hasRoomFor(beyond: ChangePosition): boolean {
    return this.#open.size < this.#max || this.#open.has(keyOf(beyond));
  }

  /** Resolves when it is over or the signal aborts, rejects when the connection ends before. */
  async wait(beyond: ChangePosition, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const key = keyOf(beyond);
    const shared = this.#open.get(key) ?? { wait: this.#begin(beyond), waiters: 0 };
    this.#open.set(key, shared);
    shared.waiters += 1;
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
      signal.addEventListener('abort', leave);
    });
    try {
      await Promise.race([shared.wait.over, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      shared.waiters -= 1;
      if (shared.waiters === 0) {
        if (this.#open.get(key) === shared) this.#open.delete(key);
        shared.wait.cancel();
      }
    }
  }
}

function keyOf({ epoch, lsn, seq }: ChangePosition): string {
  return `${epoch}/${lsn}/${seq}`;
}
