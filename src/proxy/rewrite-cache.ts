import type { Rewrite, RewriteInput } from '../contracts/rewriter.ts';
import { loweredTextsMax, loweredUnitsMax } from '../core/limits.ts';

type Cached = { readonly rewrite: Rewrite; readonly units: number };

/** Answers by their whole input, the least recently used thrown out first. */
export class RewriteCache {
  readonly #answers: Map<string, Cached> = new Map();
  readonly #textsMax: number;
  readonly #unitsMax: number;
  #units = 0;

  constructor(limits?: { readonly textsMax: number; readonly unitsMax: number }) {
    this.#textsMax = limits?.textsMax ?? loweredTextsMax;
    this.#unitsMax = limits?.unitsMax ?? loweredUnitsMax;
  }

  get size(): number {
    return this.#answers.size;
  }

  get(key: string): Rewrite | undefined {
    const cached = this.#answers.get(key);
    if (cached === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, cached);
    return cached.rewrite;
  }

  set(key: string, rewrite: Rewrite): void {
    const units = key.length + unitsOf(rewrite);
    if (units > this.#unitsMax) return;
    this.#forget(key);
    this.#answers.set(key, { rewrite, units });
    this.#units += units;
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#textsMax && this.#units <= this.#unitsMax) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const cached = this.#answers.get(key);
    if (cached === undefined) return;
    this.#answers.delete(key);
    this.#units -= cached.units;
  }
}

export function cacheKey(input: RewriteInput): string {
  return JSON.stringify([
    input.protocol,
    input.standardConformingStrings,
    input.parameterTypes,
    input.discovery,
    input.text,
  ]);
}

/** Rough, and on the safe side: a position segment is three numbers and an object. */
function unitsOf(rewrite: Rewrite): number {
  if (rewrite.kind === 'pass') return 16;
  const filters = rewrite.kind === 'send' ? (rewrite.events ?? []).map(({ filter }) => filter) : [];
  const texts = [rewrite, ...filters.filter((filter) => filter !== undefined)];
  const sizes = texts.map(({ text, positions }) => text.length + 32 * positions.length + 1024);
  return sizes.reduce((sum, size) => sum + size, 0);
}
