/** What a statement failed with, as far as it calls for something else to be done. */
export type DatabaseFailure = {
  /** SQLSTATE; 08006 when the connection went away before the server could say anything. */
  readonly code: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** The session is gone; a new one may do better. */
  readonly isConnectionLost: boolean;
};

/** Whatever `pg` or a socket threw. */
export function describeFailure(cause: unknown): DatabaseFailure {
  const fields = (cause ?? {}) as Record<string, unknown>;
  const message = cause instanceof Error ? cause.message : String(cause);
  // Only an ErrorResponse has a severity; the codes of sockets look different anyway.
  if (fields['severity'] === undefined) {
    const lost = { code: '08006', message, detail: undefined, hint: undefined };
    return { ...lost, isConnectionLost: true };
  }
  const code = String(fields['code']);
  return {
    code,
    message,
    detail: textOf(fields['detail']),
    hint: textOf(fields['hint']),
    isConnectionLost: /^(?:08|57P0[1-5])/.test(code),
  };
}

function textOf(field: unknown): string | undefined {
  return typeof field === 'string' ? field : undefined;
}
