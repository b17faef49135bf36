import type { CaptureCatalog, CaptureFacts, CaptureWish } from '../../catalog/capture-catalog.ts';
import { isOfSource, putAside, readLogState } from '../../changelog/log-facts.ts';
import { currentEpoch, type LogSource, type LogState } from '../../changelog/log-state.ts';
import { LogWriter } from '../../changelog/log-writer.ts';
import type { Logger } from '../../contracts/logger.ts';
import { captureGap } from '../../core/errors/capture.ts';
import { parseLsn } from '../../core/lsn.ts';
import type { Connection } from '../../postgres/connection.ts';
import type { ReplicationConnection } from '../../postgres/replication-stream.ts';
import { type Continuity, judgeContinuity, type ServerFacts } from './continuity.ts';
import { ensurePublications } from './publications.ts';
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
  await ensurePublications(connection);
  const hasTriggers = await ensureSchemaWatch(connection);
  if (!hasTriggers) {
    logger.warn('event triggers cannot be made: schema changes are seen with a delay');
  }
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
    slotName: facts.slot,
    catalogTimeline: facts.timeline,
    log: log === undefined ? undefined : logFacts(log),
    slot,
    server,
  });
  const writer = await act(judged, { ...options, log, server, slotConfirmed: slot?.confirmedLsn });
  await options.catalog.noteTimeline(facts.term, server.timeline);
  return { writer, slot: name, hasTriggers };
}

type Acting = TenureOptions & {
  readonly log: LogState | undefined;
  readonly server: ServerFacts;
  readonly slotConfirmed: bigint | undefined;
};

async function act(judged: Continuity, options: Acting): Promise<LogWriter> {
  const { facts, wish, catalog } = options;
  switch (judged.kind) {
    case 'begin':
      return beginEpoch(options, await remakeSlot(options));
    case 'continue':
      return openLog(options, facts.epoch, options.slotConfirmed ?? 0n);
    case 'restart-log':
      return restartLog(options, judged.startLsn);
    case 'gap': {
      const { from, to, reason } = judged;
      await catalog.noteGap(facts.term, { from, to, reason });
      if (wish.skipGapOf !== facts.epoch) throw captureGap(judged);
      options.logger.warn('going on behind a gap', { reason });
      const keeps = !judged.dropsSlot && options.slotConfirmed !== undefined;
      return beginEpoch(options, keeps ? options.slotConfirmed : await remakeSlot(options));
    }
  }
}

async function remakeSlot({ connection, source }: Acting): Promise<bigint> {
  const name = slotName(source.databaseOid);
  await dropSlot(connection, name);
  return createSlot(connection, name);
}

async function beginEpoch(options: Acting, start: bigint): Promise<LogWriter> {
  const { connection, catalog, facts, server, source, logger } = options;
  const epoch = facts.epoch + 1;
  const { term } = facts;
  const { timeline } = server;
  const writer =
    options.log === undefined
      ? await openLog(options, epoch, start)
      : await openLog(options, facts.epoch, start);
  if (currentEpoch(writer.state).epoch !== epoch) {
    writer.beginEpoch({ epoch, startLsn: start, timeline, term });
  }
  writer.flush();
  await writer.sync();
  await connection.transaction(async () => {
    await catalog.noteEpoch(term, { epoch, start, timeline });
    await catalog.noteSlot(term, slotName(source.databaseOid));
  });
  logger.info('epoch begins', { epoch, database: source.database });
  return writer;
}

async function restartLog(options: Acting, startLsn: bigint): Promise<LogWriter> {
  const { facts, server } = options;
  const writer = await openLog(options, facts.epoch, startLsn);
  const own = currentEpoch(writer.state).epoch;
  if (own < facts.epoch) {
    const { timeline } = server;
    writer.beginEpoch({ epoch: facts.epoch, startLsn, timeline, term: facts.term });
  } else if (writer.endLsn !== startLsn) await writer.restart(startLsn);
  return writer;
}

async function openLog(options: Acting, epoch: number, startLsn: bigint): Promise<LogWriter> {
  const { directory, source, server, facts } = options;
  const { timeline } = server;
  const first = { source, timeline, term: facts.term, epoch, startLsn };
  const writer = await LogWriter.open(directory, first);
  writer.goOn(facts.term, timeline);
  return writer;
}

function logFacts(state: LogState): Parameters<typeof judgeContinuity>[0]['log'] {
  const { epoch } = currentEpoch(state);
  return { epoch, timeline: state.timeline, endLsn: state.endLsn, term: state.term };
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
