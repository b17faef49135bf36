import type { Lowered } from '../contracts/rewriter.ts';
import type { PgError } from '../core/errors/pg-error.ts';
import { refusalRewrite, refusalText } from '../lowering/refusal.ts';

/**
 * A text that fails in the backend where the client's own would have, worded as the given error
 * (design, idea 1: no error inside a session is invented by the proxy alone).
 */
export function provoke(error: PgError): Lowered {
  return {
    kind: 'send',
    text: refusalText(error),
    positions: [{ sent: 0, client: 0, copied: false }],
    errors: [refusalRewrite(error)],
    tags: [],
    loweredStatements: 0,
  };
}
