/** Reproducible random choices: the same seed makes the same tables and queries. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32: a number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)] as T;
  }

  /** Some of the choices, in random order. */
  some<T>(choices: readonly T[], count: number): T[] {
    return this.shuffled(choices).slice(0, count);
  }

  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    const drawn: T[] = [];
    while (rest.length > 0) drawn.push(...rest.splice(this.between(0, rest.length - 1), 1));
    return drawn;
  }
}

/** The seed of this run: `HELIOSDB_SEED`, or a new one. */
export function seedOfRun(): number {
  const given = process.env['HELIOSDB_SEED'];
  return given === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(given);
}

/** How many cases to run: `HELIOSDB_CASES`, or what fits into `npm test`. */
export function casesOfRun(usual: number): number {
  const given = Number(process.env['HELIOSDB_CASES'] ?? usual);
  return Number.isFinite(given) ? given : usual;
}
