import type { ResponseFields } from '../protocol/error-response.ts';

/** How a probe ended (session-protocol.md, invariant 8). */
export type ProbeOutcome =
  | { readonly kind: 'done'; readonly types: readonly number[] }
  /** Its error went to the client. */
  | { readonly kind: 'failed' }
  /** The backend skipped it after an earlier error. */
  | { readonly kind: 'dropped' };

/** The hidden question for types that is under way. The first outcome counts. */
export class PendingProbe {
  /** From the probe's ParameterDescription. */
  types: readonly number[] = [];
  readonly outcome: Promise<ProbeOutcome>;
  #settle: (outcome: ProbeOutcome) => void = () => undefined;

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  ended(): void {
    this.#settle({ kind: 'done', types: this.types });
  }

  failed(): void {
    this.#settle({ kind: 'failed' });
  }

  dropped(): void {
    this.#settle({ kind: 'dropped' });
  }
}

/** How a hidden question ended. */
export type QuestionOutcome =
  /** The value of its row, as the backend sent it; null for NULL and for no row. */
  | { readonly kind: 'answered'; readonly value: Buffer | null }
  /** Its error went to the client. */
  | { readonly kind: 'failed' }
  /** The backend skipped it after an earlier error. */
  | { readonly kind: 'dropped' };

/** A hidden question whose answer what is sent next depends on. The first outcome counts. */
export class PendingQuestion {
  /** From its row. */
  value: Buffer | null = null;
  readonly outcome: Promise<QuestionOutcome>;
  #settle: (outcome: QuestionOutcome) => void = () => undefined;

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  answered(): void {
    this.#settle({ kind: 'answered', value: this.value });
  }

  failed(): void {
    this.#settle({ kind: 'failed' });
  }

  dropped(): void {
    this.#settle({ kind: 'dropped' });
  }
}

/** What a survey came to: its value, or the error the backend gave instead. */
export type SurveyOutcome = {
  readonly value: string | null;
  readonly error: ResponseFields | undefined;
};

/** The hidden question about statistics that is under way. */
export class PendingSurvey {
  /** From its row. */
  value: string | null = null;
  error: ResponseFields | undefined;
  readonly outcome: Promise<SurveyOutcome>;
  #settle: (outcome: SurveyOutcome) => void = () => undefined;

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** It has its ReadyForQuery, or never gets one. */
  ended(): void {
    this.#settle({ value: this.value, error: this.error });
  }
}
