/**
 * Every queue, buffer, retry and loop of HeliosDB names its maximum here. What happens when one is
 * reached is written beside it, and tested where it is used.
 */

/** Longest statement the window grammar accepts, in UTF-16 units; beyond it 54001. */
export const claimedTextUnitsMax: number = 64 * 1024;
/** Most operators, commas and set-operation arms of a claimed statement; beyond it 54001. */
export const claimedOperatorsMax: number = 2_000;
/** Deepest nesting of parentheses and brackets in a claimed statement; beyond it 54001. */
export const claimedNestingMax: number = 200;
/** How long one statement may keep the parser worker busy before the worker is killed, ms. */
export const parseDeadlineMs: number = 2_000;
/** Parser workers per proxy process. Two, so that one hostile text cannot stall all sessions. */
export const parserWorkersMax: number = 2;
/** Lowered texts remembered per proxy process; the least recently used goes first. */
export const loweredTextsMax: number = 500;

/** Longest Query or Parse message the proxy looks into; a longer one passes through unread. */
export const scannedMessageBytesMax: number = 1024 * 1024;
/** Most bytes of a Bind, Execute, Describe or Close that are read for the names in it. */
export const scannedNameBytesMax: number = 1024;
/** Longest server message that is decoded or rewritten; a longer one passes through unread. */
export const decodedResponseBytesMax: number = 1024 * 1024;
/** Responses one session may wait for; when reached, the client is not read until some arrive. */
export const expectedResponsesMax: number = 16_384;
/** Prepared statements (and portals) of one session whose lowering is remembered, the latest. */
export const trackedNamesMax: number = 1_000;
/** Position segments and, where it takes texts, UTF-16 units kept for them; the oldest go first. */
export const trackedWeightMax: number = 1_000_000;
/** Longest startup packet, its length included, as in Postgres; a longer one is not answered. */
export const startupPacketBytesMax: number = 10_004;
/** Longest cancel key of protocol 3.2; a longer CancelRequest is dropped. */
export const cancelKeyBytesMax: number = 256;
/** How long a client may take to send its startup packet, ms; then it is disconnected. */
export const startupDeadlineMs: number = 60_000;
/** How long connecting to the upstream server may take, ms; then the client gets 08006. */
export const upstreamConnectDeadlineMs: number = 10_000;
/** How long a closing socket may take to hand over its last bytes, ms; then it is destroyed. */
export const closingLingerMs: number = 2_000;
/** Bytes waiting in a socket before its counterpart is no longer read. */
export const socketBufferBytesMax: number = 128 * 1024;
/** Idle time before TCP asks whether a peer is still there, ms. */
export const tcpKeepAliveMs: number = 60_000;
/** Client connections per proxy process; one more gets 53300. */
export const clientConnectionsMax: number = 10_000;
/** UTF-16 units of texts and answers kept in the cache of lowered texts; the oldest go first. */
export const loweredUnitsMax: number = 16 * 1024 * 1024;
/** Old generation of a parser worker, MiB; a text that needs more costs the worker its life. */
export const parserWorkerHeapMb: number = 512;
/** Stack of a parser worker, MiB: deep but legal statements recurse deeply. */
export const parserWorkerStackMb: number = 32;
/** How long a parser worker may take to start, ms; then the waiting texts are refused. */
export const parserStartDeadlineMs: number = 15_000;

/** Most dimensions of an array, as in Postgres; beyond it a captured change is damaged. */
export const arrayDepthMax: number = 6;
/** Longest chain of domains and arrays that is followed to a type; beyond it a value is a text. */
export const typeDepthMax: number = 64;
/** SHOW CDC EVENTS in one Query, each with a setting of its own; one more is refused (54000). */
export const eventsReadsMax: number = 16;
/** Changes that are read from the log, and offered to WHERE, at a time. */
export const eventsBatchMax: number = 2_000;
/** What one SHOW CDC EVENTS may hand to its backend, bytes of JSON; beyond it 54000. */
export const eventsBytesMax: number = 64 * 1024 * 1024;
