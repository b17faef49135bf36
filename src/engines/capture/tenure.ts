import type { CaptureCatalog, CaptureFacts, CaptureWish } from '../../catalog/capture-catalog.ts';
import { isOfSource, putAside, readLogState } from '../../changelog/log-facts.ts';
import { currentEpoch, type LogSource, type LogState } from '../../changelog/log-state.ts';
import { LogWriter } from '../../changelog/log-writer.ts';
import type { Logger } from '../../contracts/logger.ts';
import { captureGap, captureTakenOver } from '../../core/errors/capture.ts';
import { failpoint } from '../../core/failpoint.ts';
import { parseLsn } from '../../core/lsn.ts';
import type { Connection } from '../../postgres/connection.ts';
import type { ReplicationConnection } from '../../postgres/replication-stream.ts';
import { type Continuity, judgeContinuity, type ServerFacts } from './continuity.ts';
import { ensurePublications, publicationState } from './publications.ts';
import { ensureSchemaWatch } from './schema-watch.ts';
import { createSlot, dropSlot, readSlot, slotName } from './slot.ts';

export type TenureOptions = {
  readonly connection: Connection;
  readonly replication: ReplicationConnection;
  readonly catalog: CaptureCatalog;
  readonly facts: CaptureFacts;
  readonly wish: CaptureWish;
  readonly source: LogSource;
  readonly directory: string;
  readonly logger: Logger;
};

/** What an owner needs to stream: a log that goes on where the slot does. */
export type Prepared = {
  readonly writer: LogWriter;
  readonly slot: string;
  /** Event triggers tell of schema changes; else tables have to be looked at. */
  readonly hasTriggers: boolean;
};

/**
 * Makes everything capture needs and decides whether it goes on without a gap. Rejects with 55000
 * when it does not and nobody has said that this is all right.
 */
export async function prepareTenure(options: TenureOptions): Promise<Prepared> {
  const { connection, directory, source, logger } = options;
  const name = slotName(source.databaseOid);
  let log = await readLogState(directory);
  if (log !== undefined && !isOfSource(log, source)) {
    putAside(directory, log);
    log = undefined;
  }
  const server = await serverFacts(options.replication);
  const slot = await readSlot(connection, name);
  const { facts } = options;
  const judged = judgeContinuity({
    epoch: facts.epoch,
    term: facts.term,
    servedTerm: facts.servedTerm,
    beat: facts.beat,
    slotName: facts.slot,
    notedGap: facts.gapReason,
    catalogTimeline: facts.timeline,
    log: log === undefined ? undefined : logFacts(log),
    slot,
    unusablePublications: (await publicationState(connection)).unusable,
    server,
  });
  if (judged.kind === 'gap') await passGap(judged, options);
  await ensurePublications(connection);
  const hasTriggers = await ensureSchemaWatch(connection);
  if (!hasTriggers) {
    logger.warn('event triggers cannot be made: schema changes are seen with a delay');
  }
  const writer = await act(judged, { ...options, log, server, slotConfirmed: slot?.confirmedLsn });
  try {
    // From here on the slot is told to forget what this log alone has: its term is on the disk.
    await writer.sync();
    failpoint('capture.prepared');
    await owning(options.catalog.noteServing(facts.term, server.timeline));
  } catch (error) {
    await writer.close();
    throw error;
  }
  return { writer, slot: name, hasTriggers };
}

type Acting = TenureOptions & {
  readonly log: LogState | undefined;
  readonly server: ServerFacts;
  readonly slotConfirmed: bigint | undefined;
};

/** Noted before anything is mended by which it could be told. @throws PgError 55000 */
async function passGap(
  { from, to, reason }: Continuity & { readonly kind: 'gap' },
  { catalog, facts, wish, logger }: TenureOptions,
): Promise<void> {
  await owning(catalog.noteGap(facts.term, { from, to, reason }));
  if (wish.skipGapOf !== facts.epoch) throw captureGap({ from, to, reason });
  logger.warn('going on behind a gap', { reason });
}

async function act(judged: Continuity, options: Acting): Promise<LogWriter> {
  const { facts } = options;
  switch (judged.kind) {
    case 'begin':
      return beginEpoch(options, await remakeSlot(options));
    case 'continue':
      return continueLog(options);
    case 'restart-log':
      return restartLog(options, { epoch: facts.epoch, startLsn: judged.startLsn });
    case 'gap': {
      const keeps = !judged.dropsSlot && options.slotConfirmed !== undefined;
      return beginEpoch(options, keeps ? options.slotConfirmed : await remakeSlot(options));
    }
  }
}

async function remakeSlot({ connection, replication, source }: Acting): Promise<bigint> {
  const name = slotName(source.databaseOid);
  await dropSlot(connection, name);
  const start = await createSlot(connection, replication, name);
  failpoint('capture.slot');
  return start;
}

/** The catalog first: a log that has not heard of the epoch yet begins where the slot does. */
async function beginEpoch(options: Acting, startLsn: bigint): Promise<LogWriter> {
  const { connection, catalog, facts, server, source, logger, log } = options;
  const epoch = Math.max(facts.epoch, log === undefined ? 0 : currentEpoch(log).epoch) + 1;
  const { term } = facts;
  const { timeline } = server;
  await connection.transaction(async () => {
    await owning(catalog.noteEpoch(term, { epoch, start: startLsn, timeline }));
    await owning(catalog.noteSlot(term, slotName(source.databaseOid)));
  });
  failpoint('capture.epoch');
  logger.info('epoch begins', { epoch, database: source.database });
  return restartLog(options, { epoch, startLsn });
}

/** The log of this node begins where the slot does, whatever it held before. */
async function restartLog(
  options: Acting,
  { epoch, startLsn }: { readonly epoch: number; readonly startLsn: bigint },
): Promise<LogWriter> {
  const { facts, server } = options;
  const { term } = facts;
  const { timeline } = server;
  const writer = await openLog(options, { epoch, startLsn });
  // What the epoch had before is with another node: readers must not take it for nothing.
  const beginsInside = facts.epoch === epoch && startLsn > (facts.epochStart ?? 0n);
  try {
    if (currentEpoch(writer.state).epoch < epoch) {
      writer.beginEpoch({ epoch, startLsn, timeline, term });
    } else if (options.log !== undefined || beginsInside) {
      await writer.restart(startLsn, { term, timeline });
    }
    writer.goOn({ term, timeline, beat: facts.beat });
    return writer;
  } catch (error) {
    await writer.close();
    throw error;
  }
}

async function continueLog(options: Acting): Promise<LogWriter> {
  const { facts, server } = options;
  const startLsn = options.slotConfirmed ?? 0n;
  const writer = await openLog(options, { epoch: facts.epoch, startLsn });
  writer.goOn({ term: facts.term, timeline: server.timeline, beat: facts.beat });
  return writer;
}

function openLog(
  { directory, source, server, facts }: Acting,
  begin: { readonly epoch: number; readonly startLsn: bigint },
): Promise<LogWriter> {
  const { timeline } = server;
  return LogWriter.open(directory, { source, timeline, term: facts.term, ...begin });
}

/** What an owner writes to the catalog is not written when another has taken over. */
async function owning(written: Promise<boolean>): Promise<void> {
  if (!(await written)) throw captureTakenOver();
}

function logFacts(state: LogState): Parameters<typeof judgeContinuity>[0]['log'] {
  const { epoch } = currentEpoch(state);
  return {
    epoch,
    timeline: state.timeline,
    endLsn: state.endLsn,
    term: state.term,
    beat: state.beat,
  };
}

async function serverFacts(replication: ReplicationConnection): Promise<ServerFacts> {
  const identity = await replication.identify();
  const history = await replication.history(identity.timeline);
  return {
    timeline: identity.timeline,
    walLsn: parseLsn(identity.walLsn) ?? 0n,
    history: history.map(({ timeline, endLsn }) => ({ timeline, endLsn: parseLsn(endLsn) ?? 0n })),
  };
}
