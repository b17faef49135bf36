import type { EventsRead } from '../../contracts/rewriter.ts';

/** What of the change log a text reads, and what has to be known to execute it. */
export type StatementEvents = {
  readonly reads: readonly EventsRead[];
  /** Declared in Parse, by OID. */
  readonly parameterTypes: readonly number[];
  /** The Bind of the portal, whole; none for a Query. */
  readonly bind?: Buffer;
};
