import type { Source, TokenRange } from '../sql/source.ts';

/** An expression whose type decides how its statement is lowered. */
export type Question = { readonly range: TokenRange };

/**
 * The types a statement depends on. They are asked of the backend through the parameters of a
 * probe: in `COALESCE(x, $9)` Postgres gives `$9` the type of `x`, at any depth of nesting and
 * without running anything (docs/decisions/0004).
 */
export class Questions {
  readonly #asked: Question[] = [];
  readonly #firstParameter: number;
  readonly #answers: readonly number[] | undefined;

  /**
   * @param firstParameter number of the first parameter that is free
   * @param types ParameterDescription of the probe; undefined while there was none
   */
  constructor(firstParameter: number, types: readonly number[] | undefined) {
    this.#firstParameter = firstParameter;
    this.#answers = types?.slice(firstParameter - 1);
  }

  /** Registers an expression; the same one of the same SELECT level shares its answer. */
  ask(range: TokenRange): number {
    return this.#asked.push({ range }) - 1;
  }

  /** Type OID of a question, 0 where there is no answer. */
  answer(question: number): number {
    return this.#answers?.[question] ?? 0;
  }

  get answered(): boolean {
    return this.#answers !== undefined;
  }

  get count(): number {
    return this.#asked.length;
  }

  parameterOf(question: number): string {
    return `$${this.#firstParameter + question}`;
  }
}

/** The number after the highest parameter the text or the client's declaration mentions. */
export function firstFreeParameter(source: Source, declared: number): number {
  let highest = declared;
  for (const token of source.tokens) {
    if (token.kind === 'parameter') highest = Math.max(highest, Number(token.name.slice(1)));
  }
  return highest + 1;
}
