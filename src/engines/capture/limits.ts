/** The bounds of capture. */

/** Shortest time between two flushes of a trickle of changes, ms: what a commit may wait. */
export const flushIntervalMs: number = 2;
/** Longest time between two status updates to the server, ms. */
export const statusIntervalMs: number = 1_000;
