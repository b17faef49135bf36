import type {
  CaptureCatalog,
  CaptureFacts,
  CaptureStatus,
  CaptureWish,
} from '../../catalog/capture-catalog.ts';
import { ExclusionHistory } from '../../catalog/exclusion-history.ts';
import { NodeRegistry } from '../../catalog/node-registry.ts';
import { ReaderRegistry, type RegisteredReader } from '../../catalog/reader-registry.ts';
import { asLogError } from '../../changelog/lmdb-error.ts';
import { isOfSource, readLogState } from '../../changelog/log-facts.ts';
import { currentEpoch, type LogSource, type LogState } from '../../changelog/log-state.ts';
import type { LogWriter } from '../../changelog/log-writer.ts';
import { missingBehind } from '../../changelog/missing-behind.ts';
import { comparePositions } from '../../contracts/change.ts';
import { capturePrivilegeMissing, slotTaken } from '../../core/errors/capture.ts';
import { PgError } from '../../core/errors/pg-error.ts';
import { failpoint } from '../../core/failpoint.ts';
import { printLsn } from '../../core/lsn.ts';
import { xidNear } from '../../core/xid.ts';
import type { Connection } from '../../postgres/connection.ts';
import type { ConnectionTarget } from '../../postgres/connection-target.ts';
import { ReplicationConnection } from '../../postgres/replication-stream.ts';
import { asPgError } from '../../postgres/server-error.ts';
import { takeWalSample, WalSampleRecorder } from '../../snapshot/wal-samples.ts';
import { type CaptureOptions, readCaptureOptions } from './capture-options.ts';
import type { CaptureTask } from './capture-task.ts';
import { confirmableLsn } from './confirm-policy.ts';
import { Exclusions } from './exclusions.ts';
import { housekeepingMs, statusAgeMaxMs, tablesLookedAtMs } from './limits.ts';
import { measureCapture } from './measure.ts';
import { type AssemblerOptions, PgoutputAssembler } from './pgoutput-assembler.ts';
import {
  dropPublications,
  publicationNames,
  publicationState,
  publishLateTables,
} from './publications.ts';
import { shapeOf } from './relation-shapes.ts';
import { dropSchemaWatch } from './schema-watch.ts';
import { dropSlot, slotName } from './slot.ts';
import { SlotStream } from './slot-stream.ts';
import { prepareTenure } from './tenure.ts';
import { ValueKinds } from './value-kinds.ts';

export type CaptureTenureOptions = CaptureTask & {
  readonly connection: Connection;
  readonly catalog: CaptureCatalog;
  readonly facts: CaptureFacts;
  readonly source: LogSource;
  /** Whether large transactions are to come while they are in progress. */
  readonly streamsInProgress: boolean;
};

/** What whoever started a tenure wants to know of it. */
export type TenureEvents = {
  /** Told, each time it waits, how to wake it. */
  readonly onWake: (wake: () => void) => void;
  readonly onStreaming: () => void;
};

/** The time during which this node owns the capture of a database. */
export class CaptureTenure {
  readonly #options: CaptureTenureOptions;
  readonly #nodes: NodeRegistry;
  readonly #ended: AbortController = new AbortController();
  #wish: CaptureWish | undefined;
  #settings: CaptureOptions | undefined;
  #readers: readonly RegisteredReader[] = [];
  /** The log as it was found, which is what there is until it is written to. */
  #found: LogState | undefined;
  #writer: LogWriter | undefined;
  #stream: SlotStream | undefined;
  #samples: WalSampleRecorder | undefined;
  #exclusions: Exclusions | undefined;
  /** Which transaction id was the next one a moment ago. */
  #nextXid = 0n;
  #failure: unknown;
  #state = 'starting';
  #hasTriggers = true;
  #appended = 0;
  #tablesLookedAt = Number.NEGATIVE_INFINITY;
  #statusWritten = { text: '', at: 0 };
  #beatenLsn = 0n;
  /** Which ones, as they were when capture began. */
  #publications: string | undefined;

  constructor(options: CaptureTenureOptions) {
    this.#options = options;
    this.#nodes = new NodeRegistry(options.connection, options.node);
  }

  /**
   * Until it is told to stop, capture is switched off, another owner has taken over, or it fails;
   * a failure is written to the catalog before it rejects.
   */
  async run(signal: AbortSignal, events: TenureEvents): Promise<void> {
    const { catalog, connection } = this.#options;
    try {
      this.#wish = await catalog.wish();
      if (this.#wish.enabled !== true) {
        await this.#switchOff();
        return;
      }
      this.#found = await this.#findLog();
      this.#settings = await readCaptureOptions(connection, this.#wish.options);
      await this.#writeStatus(undefined);
      await this.#capture(AbortSignal.any([signal, this.#ended.signal]), events);
      if (this.#failure !== undefined) throw this.#failure;
    } catch (error) {
      const failure = asPgError(asLogError(error));
      this.#state = failure.retryable ? 'failing' : 'stopped';
      await this.#tellFailure(failure);
      throw failure;
    } finally {
      await this.#writer?.close();
    }
  }

  async #findLog(): Promise<LogState | undefined> {
    const { directory, source } = this.#options;
    const log = await readLogState(directory);
    return log !== undefined && isOfSource(log, source) ? log : undefined;
  }

  async #capture(signal: AbortSignal, events: TenureEvents): Promise<void> {
    const { target, directory, connection, catalog, facts, source, logger } = this.#options;
    const { streamsInProgress } = this.#options;
    const replication = await openReplication(target);
    try {
      const preparing = prepareTenure({
        connection,
        replication,
        catalog,
        facts,
        source,
        directory,
        logger,
        wish: this.#wish!,
      });
      const { writer, slot, hasTriggers } = await this.#beating(preparing);
      this.#writer = writer;
      this.#hasTriggers = hasTriggers;
      const { epoch } = currentEpoch(writer.state);
      this.#samples = new WalSampleRecorder(epoch, writer.storedSamples());
      await this.#sample(writer);
      this.#readers = await this.#registry().list();
      this.#exclusions = await Exclusions.open(new ExclusionHistory(connection), {
        stored: writer.storedExclusions(),
        lsn: writer.endLsn,
      });
      this.#publications = (await publicationState(connection)).identity;
      const assembler = this.#assembler(writer, this.#exclusions);
      const stream = new SlotStream({
        start: (take) =>
          replication.start(startCommand({ slot, from: writer.endLsn, streamsInProgress }), take),
        writer,
        assembler,
        confirmable: (durableLsn) => this.#confirmable(durableLsn),
        flushed: () => this.#countAppended(writer),
        started: () => {
          this.#state = 'streaming';
          events.onStreaming();
          logger.info('capture streams', {
            database: target.database,
            from: printLsn(writer.endLsn),
          });
        },
      });
      this.#stream = stream;
      const keeping = this.#housekeep(signal, events);
      try {
        await stream.run(signal);
      } catch (error) {
        throw error instanceof PgError && error.code === '55006' ? slotTaken(slot, error) : error;
      } finally {
        this.#ended.abort();
        await keeping;
      }
    } finally {
      await replication.close();
    }
  }

  /** Making a slot waits for open transactions; others must not take this node for dead. */
  async #beating<T>(work: Promise<T>): Promise<T> {
    const timer = setInterval(() => {
      this.#nodes.beat().catch(() => undefined);
    }, housekeepingMs);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  #assembler(writer: LogWriter, exclusions: Exclusions): PgoutputAssembler {
    const { connection } = this.#options;
    const server = { connection, kinds: new ValueKinds(connection) };
    writer.noteExclusions(exclusions.stored);
    const describe: AssemblerOptions['describe'] = async (relation, walLsn) => {
      if (relation.schema === 'heliosdb') {
        return { version: undefined, kept: undefined, isGuess: false };
      }
      const excluded = await exclusions.of(relation, walLsn);
      const { shape, kept } = await shapeOf(relation, server, excluded.columns);
      return { version: writer.tableVersion(shape), kept, isGuess: excluded.isGuess };
    };
    const widenXid = (xid: number): bigint => xidNear(BigInt(xid), this.#nextXid);
    const excluded = async (xid: bigint, columns: readonly string[]): Promise<boolean> => {
      const isOther = await exclusions.claimed(xid, columns);
      writer.noteExclusions(exclusions.stored);
      return isOther;
    };
    return new PgoutputAssembler({ writer, describe, widenXid, excluded });
  }

  #countAppended(writer: LogWriter): void {
    const { metrics, target } = this.#options;
    metrics.appended(target.database, writer.appended - this.#appended);
    this.#appended = writer.appended;
  }

  #confirmable(durableLsn: bigint): bigint {
    const writer = this.#writer!;
    const { epoch } = currentEpoch(writer.state);
    const { lastCommitLsn, lastChanges } = writer.last;
    return confirmableLsn({
      durableLsn,
      epoch,
      last: { lsn: lastCommitLsn, seq: lastChanges - 1 },
      readers: this.#readers.map(({ position, ...reader }) => ({ ...reader, ...position })),
      options: this.#settings!,
    });
  }

  /** What is to be looked at once a second, and when the catalog changes. */
  async #housekeep(signal: AbortSignal, { onWake }: TenureEvents): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        this.#failure ??= error;
        this.#ended.abort();
        return;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => done(), housekeepingMs);
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        onWake(done);
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }

  async #look(): Promise<void> {
    const writer = this.#writer!;
    if (await this.#hasToBeginAgain(writer)) {
      this.#ended.abort();
      return;
    }
    await this.#lookAtReaders(writer);
    await this.#sample(writer);
    await this.#lookAtTables();
    await this.#trim(writer);
    await this.#measure();
    await this.#nodes.beat();
    await this.#beat(writer);
    if (!(await this.#writeStatus(undefined))) this.#ended.abort();
    writer.store.root.readerCheck();
  }

  /** Options, the switch, publications or a word on exclusions are not what capture began with. */
  async #hasToBeginAgain(writer: LogWriter): Promise<boolean> {
    const wish = await this.#options.catalog.wish();
    if (JSON.stringify(wish) !== JSON.stringify(this.#wish)) return true;
    return (await this.#hasOtherPublications(writer)) || (await this.#exclusions!.isOutdated());
  }

  /** The slot tells nothing of it; noted, so that it counts even when it is mended at once. */
  async #hasOtherPublications(writer: LogWriter): Promise<boolean> {
    const { connection, catalog, facts } = this.#options;
    const { unusable, identity } = await publicationState(connection);
    if (unusable.length === 0 && identity === this.#publications) return false;
    const reason = `Publication "${unusable[0] ?? publicationNames.join('" or "')}" was dropped or altered by somebody else.`;
    await catalog.noteGap(facts.term, { from: writer.endLsn, to: undefined, reason });
    return true;
  }

  /** Where snapshots can begin, and the upper half of transaction ids. */
  async #sample(writer: LogWriter): Promise<void> {
    const sample = await takeWalSample(this.#options.connection);
    this.#nextXid = sample.nextXid;
    const samples = this.#samples!;
    if (samples.add(sample)) writer.noteSamples(samples.samples());
  }

  /** Only while there are changes, so that an idle database stays idle. */
  async #beat(writer: LogWriter): Promise<void> {
    const { lastCommitLsn } = writer.last;
    if (lastCommitLsn === this.#beatenLsn) return;
    this.#beatenLsn = lastCommitLsn;
    const beat = await this.#options.catalog.beat(this.#options.facts.term);
    if (beat !== undefined) writer.noteBeat(beat);
  }

  /** Often where nobody tells us of schema changes, seldom as a second look. */
  async #lookAtTables(): Promise<void> {
    const { connection } = this.#options;
    const interval = this.#hasTriggers ? tablesLookedAtMs : housekeepingMs;
    if (performance.now() - this.#tablesLookedAt < interval) return;
    this.#tablesLookedAt = performance.now();
    // A table whose updates are not published loses them: it is tried again soon.
    if (await publishLateTables(connection)) this.#tablesLookedAt = Number.NEGATIVE_INFINITY;
    await this.#exclusions!.remember();
    if (!this.#hasTriggers) await connection.query('SELECT heliosdb.watch_tables()');
  }

  #registry(): ReaderRegistry {
    return new ReaderRegistry(this.#options.connection, this.#options.facts.term);
  }

  /** Readers of which the log no longer has what they would read next are told so. */
  async #lookAtReaders(writer: LogWriter): Promise<void> {
    const registry = this.#registry();
    for (const { name, state, position } of await registry.list()) {
      const reason = state === 'gap' ? undefined : missingBehind(writer.state, position);
      if (reason !== undefined) await registry.markGap(name, reason);
    }
    this.#readers = await registry.list();
  }

  async #measure(): Promise<void> {
    const { connection, metrics, target, source } = this.#options;
    const writer = this.#writer;
    const log = writer?.state ?? this.#found;
    const measured = await measureCapture(connection, {
      slot: slotName(source.databaseOid),
      log,
      endLsn: writer?.endLsn ?? log?.endLsn,
      readers: writer === undefined ? undefined : this.#readers.length,
    });
    metrics.measured(target.database, measured);
  }

  /** So that who looks sees what there is, and not what there was when all was well. */
  async #tellFailure(failure: PgError): Promise<void> {
    const { connection, metrics, target } = this.#options;
    metrics.measured(target.database, undefined);
    if (!connection.isOpen) return;
    await this.#writeStatus(failure).catch(() => undefined);
    await this.#measure().catch(() => undefined);
  }

  async #trim(writer: LogWriter): Promise<void> {
    const settings = this.#settings!;
    const before = (Date.now() - settings.retentionAgeMs) * 1_000;
    const held = this.#readers.filter(({ isEnabled, state }) => isEnabled && state !== 'gap');
    const [slowest] = held.map(({ position }) => position).sort(comparePositions);
    await writer.trim({
      bytesMax: settings.retentionBytes,
      committedBefore: BigInt(before),
      heldFrom: slowest,
    });
  }

  async #writeStatus(error: PgError | undefined): Promise<boolean> {
    const { catalog, facts, node } = this.#options;
    const state = this.#writer?.state ?? this.#found;
    const first = state?.epochs[0];
    const status: CaptureStatus = {
      state: this.#state,
      logStart: state?.trimmed === undefined ? first?.startLsn : state.trimmed.lsn + 1n,
      logEnd: state?.endLsn,
      durable: this.#writer?.durableLsn,
      confirmed: this.#stream?.confirmedLsn,
      logBytes: state?.bytes ?? 0,
      changes: state?.changes ?? 0,
      error,
    };
    // An idle database is left alone, but for a sign of life.
    const text = JSON.stringify(status, (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    const isFresh = performance.now() - this.#statusWritten.at < statusAgeMaxMs;
    if (isFresh && text === this.#statusWritten.text) return true;
    this.#statusWritten = { text, at: performance.now() };
    return catalog.writeStatus(facts.term, node.id, status);
  }

  /** Nothing of ours stays behind in the server; the log stays readable. */
  async #switchOff(): Promise<void> {
    const { catalog, connection, facts, source } = this.#options;
    await catalog.forgetSlot(facts.term);
    await dropSchemaWatch(connection);
    await dropPublications(connection);
    failpoint('capture.switch-off');
    // Last: as long as it is there, this is done again.
    await dropSlot(connection, slotName(source.databaseOid));
  }
}

async function openReplication(target: ConnectionTarget): Promise<ReplicationConnection> {
  try {
    return await ReplicationConnection.open(target);
  } catch (error) {
    if (error instanceof PgError && error.code === '42501') throw capturePrivilegeMissing(error);
    throw error;
  }
}

function startCommand({
  slot,
  from,
  streamsInProgress,
}: {
  readonly slot: string;
  readonly from: bigint;
  readonly streamsInProgress: boolean;
}): string {
  const streaming = streamsInProgress ? 'on' : 'off';
  const publications = publicationNames.map((name) => `"${name}"`).join(',');
  return (
    `START_REPLICATION SLOT "${slot}" LOGICAL ${printLsn(from)} ` +
    `(proto_version '2', publication_names '${publications}', streaming '${streaming}', messages 'true')`
  );
}
