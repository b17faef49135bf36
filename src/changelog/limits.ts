/** The bounds of the change log. */

/**
 * Frames of one chunk of a segment, and of the records of one block, bytes; a single larger frame
 * makes a larger one. With its header it fills 16 pages of LMDB.
 */
export const chunkBytesMax: number = 64_000;
/** What a chunk or a block takes with its header, as a rule, bytes. */
export const valueBytes: number = 65_536;
/** Chunks of a segment that are put in one write transaction. */
export const chunksPutMax: number = 16;
/** Bytes on their way to the disk before whoever appends has to wait. */
export const unwrittenBytesMax: number = 16 * 1024 * 1024;
/** How much a reader looks through in one call before it answers with what it has, bytes. */
export const readBytesMax: number = 8 * 1024 * 1024;
/** How many table versions are looked up in the index; more, and every block is looked at. */
export const indexedVersionsMax: number = 64;
/** How often a waiting reader looks for something new, ms. */
export const tailPollMs: number = 2;
/** How many chunks of a segment are removed in one write transaction. */
export const removedChunksMax: number = 256;
/** How far a log may exceed what retention wants, because readers hold it: times that many bytes. */
export const heldBytesFactor: number = 4;
/** How many processes in a row opening a log may end before it counts as damaged. */
export const openingsMax: number = 3;
/** How often whoever waits to open or close a log looks whether it may, ms. */
export const gatePollMs: number = 1;
/** Age at which somebody who opens or closes a log counts as dead, ms. */
export const gateAgeMaxMs: number = 500;
/** Pages that are free or held by readers do not count for retention: file size beyond the cap. */
export const fileSlackBytes: number = 512 * 1024 * 1024;
/** Buffers of transactions that are kept for the next ones. */
export const idleFramesMax: number = 16;
