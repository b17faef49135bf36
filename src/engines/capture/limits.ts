/** The bounds of capture. */

/** Shortest time between two flushes of a trickle of changes, ms: what a commit may wait. */
export const flushIntervalMs: number = 2;
/** Longest time between two status updates to the server, ms. */
export const statusIntervalMs: number = 1_000;
/** How often an owner looks at the catalog, the readers and retention when nobody wakes it, ms. */
export const housekeepingMs: number = 1_000;
/** How often a node that does not own the capture looks whether it should, ms. */
export const wishPollMs: number = 1_000;
/** First and longest wait before capture is tried again, ms. */
export const retryDelayMinMs: number = 100;
export const retryDelayMaxMs: number = 10_000;
/** How often publications are compared with the tables although triggers keep them, ms. */
export const tablesLookedAtMs: number = 10_000;
/** How long, and how often, a transaction that was read is looked for until others see it, ms. */
export const seenWaitMs: number = 200;
export const seenPollMs: number = 2;
/** How old a status may become in the catalog while nothing changes, ms. */
export const statusAgeMaxMs: number = 5_000;
