import type { AggregateCall } from './aggregate-call.ts';
import type { TokenRange } from './source.ts';
import type { WindowCall } from './window-call.ts';

/** An expression computed per input row, under a name of ours. */
export type LiftedColumn = {
  readonly name: string;
  readonly range: TokenRange;
  /** `key`: an expression of GROUP BY; `extra`: determined by the keys; `input`: of an aggregate. */
  readonly role: 'key' | 'extra' | 'input';
};

/** A stretch of the outer level that now reads a lifted column. */
export type ColumnUse = { readonly range: TokenRange; readonly column: LiftedColumn };

/** A stretch of the outer level that now reads the window. */
export type WindowUse = {
  readonly range: TokenRange;
  readonly call: WindowCall;
  readonly place: 'output' | 'aggregate' | 'group';
};

/** An aggregate of the outer level, its inputs as lifted columns. */
export type LiftedAggregate = {
  readonly call: AggregateCall;
  /** Column of each of `call.inputs`; undefined where a constant stays in place. */
  readonly columns: readonly (LiftedColumn | undefined)[];
  /** It is taken for one only because nothing else can be called over columns not grouped. */
  readonly isGuess: boolean;
};

/** Output columns that need AS because what they were named after is replaced. */
export type TargetName = { readonly end: TokenRange; readonly name: string };
