import type { ErrorRewrite } from '../../contracts/rewriter.ts';
import type { PgError } from '../../core/errors/pg-error.ts';

/** No JSON: a statement that reads it fails, at the step at which it would have shown the rows. */
export const refusedRows = 'heliosdb_refused_rows';

/** How that failure is worded: as the error for which there are no rows. */
export function withRefusedRows<Sent extends { readonly errors: readonly ErrorRewrite[] }>(
  sent: Sent,
  error: PgError | undefined,
): Sent {
  if (error === undefined) return sent;
  const { code, message, detail, hint, position } = error;
  const fields = {
    code,
    message,
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(position === undefined ? {} : { position }),
  };
  const rewrites: ErrorRewrite[] = [
    // The parser of JSON shows what it has read in its context.
    { when: { code: '22P02', contextIncludes: refusedRows }, fields },
    // The procedures find for themselves that nothing is captured, and not why.
    { when: { code: '55000', contextIncludes: 'heliosdb.expect_capture()' }, fields },
  ];
  return { ...sent, errors: [...rewrites, ...sent.errors] };
}
