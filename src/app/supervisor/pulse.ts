import { pulseAnswerMax, pulseIntervalMs } from '../limits.ts';

export type PulseOptions = {
  readonly ask: () => void;
  /** No answer came in time. */
  readonly onSilence: () => void;
  /** An answer came after all. */
  readonly onReturn: () => void;
  readonly intervalMs?: number;
  readonly answerMaxMs?: number;
};

/**
 * Asks a process again and again whether it answers. One question is open at a time: those to a
 * process that is stopped would pile up.
 */
export class Pulse {
  readonly #options: PulseOptions;
  #timer: NodeJS.Timeout | undefined;
  #askedAt: number | undefined;
  #isSilent = false;

  constructor(options: PulseOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#timer = setInterval(() => this.#tick(), this.#options.intervalMs ?? pulseIntervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#askedAt = undefined;
    this.#isSilent = false;
  }

  answered(): void {
    this.#askedAt = undefined;
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#options.onReturn();
  }

  #tick(): void {
    const now = performance.now();
    if (this.#askedAt === undefined) {
      this.#askedAt = now;
      this.#options.ask();
    } else if (!this.#isSilent && now - this.#askedAt > this.#patienceMs) {
      this.#isSilent = true;
      this.#options.onSilence();
    }
  }

  get #patienceMs(): number {
    return this.#options.answerMaxMs ?? pulseAnswerMax;
  }
}
