/** Silence of an owner after which another node takes over, ms. */
export const takeoverAfterMs: number = 10_000;
/** Time between two signs of life of a node, ms. */
export const heartbeatMs: number = 3_000;
