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
/** How long FOLLOW goes on without asking for the role's rights again, ms. */
export const followRightsMs: number = 1_000;
/** What a jsonb can hold, with something for what is around it, bytes. */
export const jsonbBytesMax: number = 255 * 1024 * 1024;
/** Fewer than an array or an object of jsonb can have. */
export const jsonbElementsMax: number = 8_000_000;
/** What one SHOW CDC EVENTS may hand to its backend, bytes of JSON; beyond it 54000. */
export const eventsBytesMax: number = 64 * 1024 * 1024;
/** Redis clients per process; one more is told so and disconnected. */
export const redisClientsMax: number = 10_000;
/** Most arguments of one Redis request; beyond it a protocol error. */
export const redisArgumentsMax: number = 1_024;
/** Longest argument of a Redis request; beyond it a protocol error. */
export const redisBulkBytesMax: number = 1024 * 1024;
/** Longest inline request, and longest header line of any; beyond it a protocol error. */
export const redisLineBytesMax: number = 64 * 1024;
/** All arguments of one Redis request together; beyond it a protocol error. */
export const redisRequestBytesMax: number = 2 * 1024 * 1024;
/** Most arguments before AUTH, as in Redis; beyond it a protocol error. */
export const redisUnauthenticatedArgumentsMax: number = 10;
/** Longest argument before AUTH, as in Redis; beyond it a protocol error. */
export const redisUnauthenticatedBulkBytesMax: number = 16 * 1024;
/**
 * Bytes of requests that wait for those before them; then the client is not read, or, while it is
 * blocked and would not be seen to leave, disconnected. More than the longest request.
 */
export const redisInputBytesMax: number = 4 * 1024 * 1024;
/** Requests of one Redis client answered in a row before others have their turn. */
export const redisRequestsPerTurnMax: number = 128;
/** How long a Redis client may leave its replies unread, ms; then it is disconnected. */
export const redisWriteStallMs: number = 60_000;
/** Most streams in one XREAD; beyond it an error. */
export const redisStreamsPerReadMax: number = 128;
/** Entries of one stream in one reply to XREAD; the client goes on with the next. */
export const redisReadEntriesMax: number = 10_000;
/** Entries of one reply to XREAD, together; the streams share it, each has one entry at least. */
export const redisReadBytesMax: number = 4 * 1024 * 1024;
/** Entries of one reply to XRANGE and the like; beyond it an error that asks for a COUNT. */
export const redisRangeBytesMax: number = 16 * 1024 * 1024;
/** Changes taken from the log at once for a Redis reply. */
export const redisBatchChangesMax: number = 256;
/** How often a blocked Redis client looks at a log that is written without end, ms. */
export const redisLookIntervalMs: number = 5;
/** Longest time one BLOCK waits, ms, which is what a timer takes; then it is looked at anew. */
export const redisTimerMsMax: number = 2_147_483_647;
/** Redis clients whose password is being checked at a time; the others wait for their turn. */
export const redisAuthenticationsMax: number = 16;
/** Wrong passwords of one Redis client; then it is disconnected. */
export const redisAuthenticationFailuresMax: number = 10;
/** How long each wrong password of a Redis client delays the answer to it, ms. */
export const redisAuthenticationDelayMs: number = 50;
/** What a client may say while changes are streamed to it before it is not read any more, bytes. */
export const keptRequestBytesMax: number = 64 * 1024;
/** How long the first question for changes waits until capture has begun, ms; then 55000. */
export const captureBeginMaxMs: number = 30_000;
/** How long a question in a transaction looks for what stops capture, ms. */
export const captureFailureShownMs: number = 1_000;
/** Rows the first chunks of a snapshot have, unless the reader asks for another size. */
export const snapshotChunkRows: number = 20_000;
/** Chunks of one size; after so many the size doubles, so that the list of chunks stays short. */
export const snapshotChunksOfOneSizeMax: number = 1_000;
/** Rows handed over at once; fewer when they are large. */
export const snapshotBatchRowsMax: number = 2_000;
/** UTF-16 units a batch of rows should not exceed; the next batch has fewer rows when one did. */
export const snapshotBatchUnitsMax: number = 4 * 1024 * 1024;
/** How long a chunk may wait for the lock on its table, ms; then 55P03, and it can be repeated. */
export const snapshotLockWaitMs: number = 30_000;
/** How long one statement of a chunk may run, ms; then 57014, and it can be repeated. */
export const snapshotStatementMs: number = 600_000;
/** Times a chunk begins anew because its table was rewritten meanwhile; then 40001. */
export const snapshotAttemptsMax: number = 5;
/** Rows read again one by one during one snapshot; beyond it 54000, it has to begin anew. */
export const snapshotPointsMax: number = 100_000;
/** Keys placed in the chunks by one query. */
export const snapshotPlacedKeysMax: number = 5_000;
/** Samples of the WAL that are kept; when there are more, older ones are thinned out. */
export const walSamplesMax: number = 4_096;
/** Samples for which what a snapshot may have wanted before them is still kept. */
export const walSampleGrace: number = 60;
