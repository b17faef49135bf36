import type { CdcStem } from './statement.ts';

/** A parser that peggy made of grammar/<stem>.peggy (scripts/prepare.mjs). */
type Grammar = { parse(text: string, options: { readonly offset: number }): unknown };

/** What did not fit, where, and what would have, as the grammar names it. */
export type Misfit = {
  /** UTF-16 offset in the statement. */
  readonly at: number;
  readonly expected: readonly string[];
};

const loaded: Map<CdcStem, Promise<Grammar>> = new Map();

/** Each is loaded when a statement first needs it. */
function grammarOf(stem: CdcStem): Promise<Grammar> {
  let grammar = loaded.get(stem);
  if (grammar === undefined) {
    // Beside dist/src, where the compiler does not look for it.
    const module = new URL(`../../../grammar/${stem}.js`, import.meta.url);
    grammar = import(module.href) as Promise<Grammar>;
    loaded.set(stem, grammar);
  }
  return grammar;
}

/**
 * What a grammar makes of a masked statement; `offset` is where it begins in the client's text.
 * The shape of `tree` is that of the grammar's actions.
 */
export async function parseMasked(
  stem: CdcStem,
  masked: string,
  offset: number,
): Promise<{ readonly tree: unknown } | { readonly misfit: Misfit }> {
  const grammar = await grammarOf(stem);
  try {
    return { tree: grammar.parse(masked, { offset }) };
  } catch (error) {
    const misfit = readMisfit(error);
    if (misfit === undefined) throw error;
    return { misfit };
  }
}

type PeggyError = {
  readonly location?: { readonly start: { readonly offset: number } };
  readonly expected?: readonly { readonly type: string; readonly description?: string }[];
};

/** Undefined for any other exception. */
function readMisfit(error: unknown): Misfit | undefined {
  const { location, expected } = error as PeggyError;
  if (location === undefined || expected === undefined || expected === null) return undefined;
  const names = expected.flatMap(({ description }) => description ?? []);
  return { at: location.start.offset, expected: [...new Set(names)] };
}
