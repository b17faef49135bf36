/** Files run at once; each has one or a few sessions, and most of the time it waits. */
export const parallelFilesMax = 4;

/** The items in an order that the seed alone decides. */
export function shuffle<T>(items: readonly T[], seed: number): T[] {
  const random = randomNumbers(seed);
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** A seed from `HELIOSDB_TEST_SEED`, or a new one. */
export function chooseSeed(): number {
  return Number(process.env['HELIOSDB_TEST_SEED'] ?? Date.now() % 1_000_000);
}

/** Runs a task for every item, at most so many at once; each item has a promise of its own. */
export function runInParallel<T, R>(
  items: readonly T[],
  task: (item: T) => Promise<R>,
): Map<T, Promise<R>> {
  const free: Promise<void>[] = Array.from({ length: parallelFilesMax }, () => Promise.resolve());
  return new Map(
    items.map((item, index) => {
      const lane = index % parallelFilesMax;
      const result = (free[lane] ?? Promise.resolve()).then(() => task(item));
      free[lane] = result.then(
        () => undefined,
        () => undefined,
      );
      return [item, result];
    }),
  );
}

/** Mulberry32: small, and the same everywhere. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
