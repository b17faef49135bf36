/** The bounds of everything the process side waits for or repeats. */

/** How long Postgres may take to accept connections; crash recovery happens in this time, ms. */
export const postgresStartMax: number = 300_000;
/** How long a fast shutdown may take before an immediate one follows, ms. */
export const postgresStopMax: number = 5_000;
/** How long backends of a killed Postgres may hold its shared memory before a start fails, ms. */
export const postgresLeftoversMax: number = 10_000;
/** Ports tried before a start fails because each was taken in between. */
export const postgresPortAttemptsMax: number = 5;
/** Size from which the log of the embedded Postgres is put aside at start, bytes. */
export const postgresLogBytesMax: number = 10 * 1024 * 1024;
/** Time between two looks at something the operating system does not announce, ms. */
export const pollIntervalMs: number = 10;
/** Delay before the first restart of something that died; doubled each time, ms. */
export const restartDelayMin: number = 100;
/** Longest delay between two restarts, ms. */
export const restartDelayMax: number = 10_000;
/** Time after which something that was restarted counts as healthy again, ms. */
export const restartStableMs: number = 30_000;
/** Attempts to bring a role up for the first time before the node gives up. */
export const firstStartAttemptsMax: number = 4;
/** How long a process of a role may take to become ready before it is killed, ms. */
export const roleReadyMax: number = 20_000;
/** How long a process may take to exit once its drain is over before it is killed, ms. */
export const roleExitMax: number = 1_000;
/** Time between two questions whether a process is still there, ms. */
export const pulseIntervalMs: number = 1_000;
/** How long a process may leave such a question open before its part counts as silent, ms. */
export const pulseAnswerMax: number = 5_000;
/** How long one process may take to hand over its metrics before a scrape goes without it, ms. */
export const collectMax: number = 2_000;
/** Age up to which the answer of the upstream is reused by /ready, ms. */
export const upstreamAnswerAgeMax: number = 1_000;
/** Proxy processes of one node, when nobody says how many. */
export const proxyProcessesStandardMax: number = 8;
/** Proxy processes of one node that may be asked for. */
export const proxyProcessesMax: number = 64;
/** Age up to which it is taken as known which node has a change log, ms. */
export const ownershipAgeMaxMs: number = 1_000;
/** Age from which that is asked in the background, so that whoever reads all the time never waits, ms. */
export const ownershipAskAgainMs: number = 500;
/** How long a reader waits for the catalog to say it before what it said last holds, ms. */
export const ownershipPatienceMs: number = 3_000;
/** How long the connection on which that is asked stays open while nobody asks, ms. */
export const ownershipIdleMs: number = 30_000;
/** How long the catalog may take to say it before it is asked on another connection, ms. */
export const ownershipAnswerMaxMs: number = 10_000;
