/** How a probe ended (session-protocol.md, invariant 8). */
export type ProbeOutcome =
  | { readonly kind: 'done'; readonly types: readonly number[] }
  /** Its error went to the client. */
  | { readonly kind: 'failed' }
  /** The backend skipped it after an earlier error. */
  | { readonly kind: 'dropped' };

/** A hidden exchange that is under way. The first outcome counts. */
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

  done(): void {
    this.#settle({ kind: 'done', types: this.types });
  }

  failed(): void {
    this.#settle({ kind: 'failed' });
  }

  dropped(): void {
    this.#settle({ kind: 'dropped' });
  }
}
