import type { ErrorRewrite, EventsRead } from '../../contracts/rewriter.ts';
import type { Pieces } from '../splice.ts';

/** What a statement on change data capture becomes. */
export type LoweredCdc = {
  readonly pieces: Pieces;
  readonly tag: string;
  readonly errors: readonly ErrorRewrite[];
  /** Of a SHOW CDC EVENTS. */
  readonly events?: EventsRead;
};
