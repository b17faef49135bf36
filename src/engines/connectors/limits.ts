/** The bounds of the delivery to connectors. */

/** How often the owner looks at what is wanted when nobody wakes it, ms. */
export const reconcilePollMs: number = 1_000;
/** How often a node that does not deliver looks whether it should, ms. */
export const ownershipPollMs: number = 1_000;
/** Shortest time between two cursors in the catalog, ms. */
export const cursorIntervalMinMs: number = 100;
/** How often a transaction that was read is looked for until others see it, ms. */
export const visiblePollMs: number = 5;
/** Changes of a batch when nobody says. */
export const batchChangesStandard: number = 2_000;
/** Changes between two cursors when nobody says. */
export const checkpointChangesStandard: number = 1_000;
/** First and longest wait before a sink is tried again, ms. */
export const retryDelayMinMs: number = 100;
export const retryDelayMaxMs: number = 30_000;
/** How long rights are taken for granted, ms. */
export const rightsAgeMaxMs: number = 1_000;
/** How long a connector that is stopped may take to let its sink go, ms. */
export const closeMaxMs: number = 5_000;
