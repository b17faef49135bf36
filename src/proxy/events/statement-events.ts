import type { EventsRead } from '../../contracts/rewriter.ts';
import type { StatementContext } from '../statement-context.ts';

/** What of the change log a text reads, and what has to be known to execute it. */
export type StatementEvents = {
  readonly reads: readonly EventsRead[];
  /** Declared in Parse, by OID. */
  readonly parameterTypes: readonly number[];
  /** How the errors of the client's WHERE are worded, by the read it belongs to. */
  readonly wording: (read: EventsRead) => StatementContext | undefined;
  /** It is that of a portal, and not of a Query. */
  readonly isBound?: boolean;
  /** The Bind of the portal, whole; none when that was too long to be kept. */
  readonly bind?: Buffer;
  /** The name of the statement the portal is of. */
  readonly statement?: string;
};
