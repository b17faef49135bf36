import type { Change, TableVersion } from '../../contracts/change.ts';
import type { LogReader } from '../../contracts/log-reader.ts';
import type { MemoryLog } from '../../testing/memory-log.ts';

/** Added to the ids of table versions by each node that has the log. */
const idsOfOneNode = 2 ** 32;

/**
 * A log that another node takes over when it is told to, with all changes and other ids, as a
 * reader of the logs of all nodes has it. It reads all tables alone.
 */
export class MovingLog implements LogReader {
  readonly #log: MemoryLog;
  #moves = 0;
  #afterTables = false;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  /** Between the next question for tables and what is read then. */
  moveAfterTables(): void {
    this.#afterTables = true;
  }

  bounds = (): ReturnType<LogReader['bounds']> => this.#log.bounds();
  count: LogReader['count'] = (versions, epoch) => this.#log.count(versions, epoch);
  walSample: LogReader['walSample'] = (xmin) => this.#log.walSample(xmin);
  changed: LogReader['changed'] = (beyond, signal) => this.#log.changed(beyond, signal);
  close = async (): Promise<void> => undefined;

  async tables(): Promise<readonly TableVersion[]> {
    const tables = (await this.#log.tables()).map((version) => this.#numbered(version));
    if (this.#afterTables) this.#moves += 1;
    this.#afterTables = false;
    return tables;
  }

  read: LogReader['read'] = async (request) => {
    const batch = await this.#log.read(request);
    return { ...batch, changes: this.#renumbered(batch.changes) };
  };

  readBackward: LogReader['readBackward'] = async (request) => {
    const batch = await this.#log.readBackward(request);
    return { ...batch, changes: this.#renumbered(batch.changes) };
  };

  #numbered(version: TableVersion): TableVersion {
    return { ...version, id: version.id + this.#moves * idsOfOneNode };
  }

  #renumbered(changes: readonly Change[]): readonly Change[] {
    return changes.map((change) =>
      change.table === undefined ? change : { ...change, table: this.#numbered(change.table) },
    );
  }
}
