import { type CdcStart, cdcStart } from '../../sql/cdc/statement-start.ts';
import type { Source, TokenRange } from '../../sql/source.ts';

/** A statement on change data capture among those of a Query. */
export type CdcRange = {
  readonly start: CdcStart;
  /** It stands behind EXPLAIN (...). */
  readonly isExplained: boolean;
};

/** Undefined for every other statement. */
export function cdcRange(source: Source, range: TokenRange): CdcRange | undefined {
  const start = cdcStart(source, range);
  if (start !== undefined) return { start, isExplained: false };
  const close = source.partner(range.from + 1);
  if (!source.isWord(range.from, 'explain') || close < 0) return undefined;
  const explained = cdcStart(source, { from: close + 1, to: range.to });
  return explained === undefined ? undefined : { start: explained, isExplained: true };
}

/**
 * A text with harmless statements in place of those on change data capture, which Postgres's
 * grammar does not know: of the same length, so that every offset stays what it was.
 */
export function hideCdc(
  text: string,
  source: Source,
  cdc: readonly (CdcRange | undefined)[],
): string {
  let hidden = '';
  let at = 0;
  for (const range of cdc) {
    if (range === undefined) continue;
    const [start, end] = [source.startOf(range.start.range), source.endOf(range.start.range)];
    // The shortest, DROP CDC, has eight characters. EXPLAIN takes no SHOW.
    hidden += text.slice(at, start) + (range.isExplained ? 'SELECT' : 'SHOW a').padEnd(end - start);
    at = end;
  }
  return hidden + text.slice(at);
}
