/**
 * What a statement would like to know of the tables it reads, asked in one query beside the probe.
 * An answer is a hint: it decides between two ways that give the same rows, or between what would
 * fail and what would not.
 */
export class Survey {
  readonly #questions: string[] = [];
  readonly #answers: readonly string[];

  /** @param surveyed the value of the survey; null while there was none */
  constructor(surveyed: string | null) {
    this.#answers = surveyed?.split(',') ?? [];
  }

  /** Registers a scalar boolean expression; answers its number. */
  ask(question: string): number {
    return this.#questions.push(question) - 1;
  }

  /** Undefined where the backend does not know. */
  answer(question: number): boolean | undefined {
    const answer = this.#answers[question];
    return answer === 't' ? true : answer === 'f' ? false : undefined;
  }

  /** The query for all of them; undefined when nothing was asked. */
  get text(): string | undefined {
    if (this.#questions.length === 0) return undefined;
    const answers = this.#questions.map((question) => `left(((${question}))::text, 1)`);
    return `SELECT array_to_string(ARRAY[${answers.join(', ')}], ',', '?')`;
  }
}
