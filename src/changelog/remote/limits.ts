/** The bounds of the stream between nodes. */

/** Longest frame of the handshake, bytes; a longer one ends the connection. */
export const greetingBytesMax: number = 4_096;
/** How long a handshake may take, from connecting to the proof, ms. */
export const handshakeDeadlineMs: number = 5_000;
/** Longest request, bytes: what a filter of 250,000 table versions takes. Longer ones are 54000. */
export const requestBytesMax: number = 1024 * 1024;
/** An answer is sent in parts of so many bytes, between which others go. */
export const answerPartBytes: number = 256 * 1024;
/** Longest answer, bytes: a JavaScript string holds no more. A longer one is 54000. */
export const answerBytesMax: number = 512 * 1024 * 1024;
/** Changes in one answer, whatever was asked for: what the event loop is kept from others. */
export const answerChangesMax: number = 2_000;
/** Requests of one connection that may be open; the client keeps the others until some are over. */
export const openRequestsMax: number = 64;
/** Of these, how many are worked on, each with its answer in memory; the others wait. */
export const workedRequestsMax: number = 4;
/** Different positions one connection may wait behind; the client looks now and then beyond it. */
export const openWaitsMax: number = 256;
/** Connections of one server; one more is closed at once. */
export const connectionsMax: number = 256;
/** Bytes that wait in a socket before an answer goes on being sent only when they are gone. */
export const unsentBytesMax: number = 1024 * 1024;
/** Silence after which a client with open requests asks whether anybody is there, ms. */
export const pingIntervalMs: number = 5_000;
/** Silence after which whoever waits for an answer takes the other one for dead, ms. */
export const silenceMaxMs: number = 15_000;
/** Silence after which a server closes a connection, and one that does not take its answers, ms. */
export const idleMaxMs: number = 60_000;
/** Shortest and longest wait before a node that did not answer is tried again, ms. */
export const reconnectDelayMinMs: number = 100;
export const reconnectDelayMaxMs: number = 2_000;
/** How often somebody looks who waits while the node cannot be waited on, ms. */
export const waitFallbackMs: number = 200;
/** Table versions a reader remembers the texts of; then it begins anew. */
export const knownTablesMax: number = 10_000;
