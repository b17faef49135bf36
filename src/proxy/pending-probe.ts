/** How a probe ended (session-protocol.md, invariant 8). */
export type ProbeOutcome =
  | {
      readonly kind: 'done';
      readonly types: readonly number[];
      readonly surveyed: string | null;
    }
  /** Its error went to the client. */
  | { readonly kind: 'failed' }
  /** The backend skipped it after an earlier error. */
  | { readonly kind: 'dropped' };

/** A hidden exchange that is under way. The first outcome counts. */
export class PendingProbe {
  /** From the probe's ParameterDescription. */
  types: readonly number[] = [];
  /** From the row of its survey. */
  surveyed: string | null = null;
  readonly outcome: Promise<ProbeOutcome>;
  #endsOwed: number;
  #settle: (outcome: ProbeOutcome) => void = () => undefined;

  /** @param endsOwed how many messages (CloseComplete, ReadyForQuery) the exchange ends with */
  constructor(endsOwed: number) {
    this.#endsOwed = endsOwed;
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  ended(): void {
    this.#endsOwed -= 1;
    if (this.#endsOwed > 0) return;
    this.#settle({ kind: 'done', types: this.types, surveyed: this.surveyed });
  }

  failed(): void {
    this.#settle({ kind: 'failed' });
  }

  dropped(): void {
    this.#settle({ kind: 'dropped' });
  }
}
