import type { Source, TokenRange } from '../sql/source.ts';
import type { WindowCall } from '../sql/window-call.ts';
import { type Edits, type Pieces, template } from './splice.ts';

/**
 * Writes a window as a value of its time's type that mentions all of its arguments, and gives that
 * type to a parameter. GREATEST does so as COALESCE does, and takes a set-returning time.
 */
export function probeWindow(
  edits: Edits,
  source: Source,
  call: WindowCall,
  parameter: string,
): void {
  const anchor = source.startOf(call.range);
  const copy = ({ range }: { readonly range: TokenRange }): Pieces => copied(edits, source, range);
  // Cast as the lowering casts them, so that a parameter alone has a type.
  const mentioned = [
    { argument: call.slide, type: 'interval' },
    { argument: call.size, type: 'interval' },
    { argument: call.origin, type: 'timestamptz' },
    { argument: call.zone, type: 'text' },
  ].flatMap(({ argument, type }) =>
    argument === undefined
      ? []
      : template(` AND ({0})::${type} IS NOT NULL`, anchor, copy(argument)),
  );
  const text = `GREATEST(GREATEST({0}, ${parameter}), CASE WHEN true{1} THEN ${parameter} END)`;
  const pieces = template(text, anchor, copy(call.time), mentioned);
  edits.replace(anchor, source.endOf(call.range), pieces);
}

/** Gives the type of an aggregate's argument to a parameter. */
export function probeArgument(
  edits: Edits,
  source: Source,
  range: TokenRange,
  parameter: string,
): void {
  const anchor = source.startOf(range);
  const pieces = template(`COALESCE({0}, ${parameter})`, anchor, copied(edits, source, range));
  edits.replace(anchor, source.endOf(range), pieces);
}

function copied(edits: Edits, source: Source, range: TokenRange): Pieces {
  return edits.render(source.startOf(range), source.endOf(range));
}
