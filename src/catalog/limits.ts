/** Silence of an owner after which another node takes over, ms. */
export const takeoverAfterMs: number = 10_000;
