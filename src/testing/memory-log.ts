import {
  type Change,
  type ChangePosition,
  comparePositions,
  type Operation,
  type TableVersion,
} from '../contracts/change.ts';
import type {
  ChangeBatch,
  EpochBounds,
  LogBounds,
  LogReader,
  ReadBackward,
  ReadForward,
  TableFilter,
} from '../contracts/log-reader.ts';
import {
  sampleAtOrBefore,
  type WalSample,
  type WalSampleAnswer,
} from '../contracts/wal-samples.ts';
import { PgError } from '../core/errors/pg-error.ts';

const seqMax = Number.MAX_SAFE_INTEGER;

/** A change log in memory: what a test says was captured, and a reader of it. */
export class MemoryLog implements LogReader {
  readonly changes: Change[] = [];
  /** What was sampled of the WAL. */
  samples: readonly WalSample[] = [];
  /** What the next calls reject with. */
  failure: PgError | undefined;
  /** What the next calls wait for. */
  gate: Promise<void> | undefined;
  /** How often it was read. */
  reads = 0;
  /** How many wait in `changed`. */
  waiting = 0;
  /** The most changes a call asked for. */
  changesMaxAsked = 0;
  #versions: TableVersion[] = [];
  #epochs: EpochBounds[];
  #startLsn: bigint;
  #endLsn: bigint;
  #wakes: (() => void)[] = [];

  constructor(startLsn: bigint = 1_000n) {
    this.#epochs = [{ epoch: 1, startLsn, endLsn: undefined }];
    this.#startLsn = startLsn;
    this.#endLsn = startLsn;
  }

  get endLsn(): bigint {
    return this.#endLsn;
  }

  /** A new version of a table, which it has from its first change on. */
  table(
    name: string,
    columns: readonly string[] = ['id', 'total'],
    schema = 'public',
    oid?: number,
  ): TableVersion {
    const id = this.#versions.length + 1;
    const version: TableVersion = {
      id,
      oid: oid ?? 16_000 + id,
      schema,
      name,
      replicaIdentity: 'default',
      columns: columns.map((column, index) => ({
        name: column,
        typeOid: 25,
        typeModifier: -1,
        isKey: index === 0,
        valueKind: 'text',
      })),
    };
    this.#versions.push(version);
    return version;
  }

  /** One transaction; returns its LSN. */
  commit(...rows: readonly (readonly [TableVersion, Operation, ...(string | null)[]])[]): bigint {
    const lsn = this.#endLsn;
    for (const [seq, [table, operation, ...values]] of rows.entries()) {
      this.changes.push({
        position: { epoch: this.#epoch, lsn, seq },
        walLsn: lsn,
        committedAtMicros: 1_767_225_600_000_000n + lsn,
        xid: lsn,
        operation,
        table,
        before: operation === 'DELETE' ? values : undefined,
        after: operation === 'INSERT' || operation === 'UPDATE' ? values : undefined,
        schemaChange: undefined,
      });
    }
    this.#endLsn = lsn + 100n;
    this.#wake();
    return lsn;
  }

  /** Ends the epoch and begins the next one. */
  beginEpoch(startLsn: bigint): void {
    const last = this.#epochs.at(-1)!;
    this.#epochs = [
      ...this.#epochs.slice(0, -1),
      { ...last, endLsn: this.#endLsn },
      { epoch: last.epoch + 1, startLsn, endLsn: undefined },
    ];
    this.#endLsn = startLsn;
    this.#wake();
  }

  /** Removes what is before an LSN of an epoch. */
  trim(epoch: number, lsn: bigint): void {
    const kept = this.changes.filter(
      ({ position }) => position.epoch > epoch || (position.epoch === epoch && position.lsn >= lsn),
    );
    this.changes.splice(0, this.changes.length, ...kept);
    this.#epochs = this.#epochs.filter((one) => one.epoch >= epoch);
    this.#startLsn = lsn;
  }

  get #epoch(): number {
    return this.#epochs.at(-1)!.epoch;
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  async bounds(): Promise<LogBounds> {
    this.#fail();
    return {
      epoch: this.#epoch,
      epochs: this.#epochs,
      startLsn: this.#startLsn,
      endLsn: this.#endLsn,
    };
  }

  async tables(): Promise<readonly TableVersion[]> {
    this.#fail();
    return this.#versions.filter(({ id }) => this.changes.some(({ table }) => table?.id === id));
  }

  async walSample(xmin: bigint): Promise<WalSampleAnswer> {
    this.#fail();
    return { epoch: this.#epochs.at(-1)!.epoch, sample: sampleAtOrBefore(this.samples, xmin) };
  }

  async count(versions: ReadonlySet<number>, epoch?: number): Promise<number> {
    this.#fail();
    return this.changes.filter(
      ({ position, table }) =>
        table !== undefined &&
        versions.has(table.id) &&
        (epoch === undefined || position.epoch === epoch),
    ).length;
  }

  async read({ from, tables, changesMax }: ReadForward): Promise<ChangeBatch> {
    this.reads += 1;
    await this.gate;
    this.#fail();
    this.changesMaxAsked = Math.max(this.changesMaxAsked, changesMax);
    const first = this.#epochs[0]!;
    const begin: ChangePosition =
      from.kind === 'start'
        ? { epoch: first.epoch, lsn: this.#startLsn, seq: -1 }
        : from.kind === 'after'
          ? from.position
          : { epoch: from.epoch, lsn: from.lsn, seq: -1 };
    if (begin.epoch < first.epoch || (begin.epoch === first.epoch && begin.lsn < this.#startLsn)) {
      throw new PgError({ code: '22023', message: 'position is before the start of the log' });
    }
    const behind = this.changes.filter(({ position }) => comparePositions(position, begin) > 0);
    const wanted = behind.filter((change) => isWanted(change, tables));
    const changes = wanted.slice(0, changesMax);
    const isAtEnd = changes.length === wanted.length;
    const end = { epoch: this.#epoch, lsn: this.#endLsn - 1n, seq: seqMax };
    const last = isAtEnd ? end : changes.at(-1)!.position;
    return { changes, through: comparePositions(last, begin) < 0 ? begin : last, isAtEnd };
  }

  async readBackward({ before, tables, changesMax }: ReadBackward): Promise<{
    readonly changes: readonly Change[];
    readonly before: ChangePosition;
    readonly isAtStart: boolean;
  }> {
    this.reads += 1;
    await this.gate;
    this.#fail();
    this.changesMaxAsked = Math.max(this.changesMaxAsked, changesMax);
    const wanted = this.changes.filter(
      (change) =>
        isWanted(change, tables) &&
        (before === undefined || comparePositions(change.position, before) < 0),
    );
    const changes = wanted.slice(-changesMax);
    const first = { epoch: this.#epochs[0]!.epoch, lsn: this.#startLsn, seq: 0 };
    return {
      changes,
      before: changes[0]?.position ?? first,
      isAtStart: changes.length === wanted.length,
    };
  }

  async changed(beyond: ChangePosition, signal: AbortSignal): Promise<void> {
    const isBeyond = () => {
      const end = { epoch: this.#epoch, lsn: this.#endLsn - 1n, seq: seqMax };
      return comparePositions(end, beyond) > 0;
    };
    while (!isBeyond() && !signal.aborted) {
      this.waiting += 1;
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.waiting -= 1;
    }
  }

  async close(): Promise<void> {}

  #fail(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

function isWanted({ table }: Change, tables: TableFilter): boolean {
  if (table === undefined) return false;
  return tables === 'all' || tables.has(table.id);
}
