import { setTimeout } from 'node:timers/promises';
import type { ExclusionHistory } from '../../catalog/exclusion-history.ts';
import type { StoredExclusions } from '../../changelog/stored-exclusions.ts';
import type { Connection } from '../../postgres/connection.ts';
import { excludedColumns } from './excluded-columns.ts';
import { seenPollMs, seenWaitMs } from './limits.ts';
import { withLockTimeout } from './lock-timeout.ts';

/** Keeps out under its new name what was renamed without a trigger that noticed. */
export async function followRenames(connection: Connection): Promise<void> {
  await withLockTimeout(connection, 'SELECT heliosdb.follow_excluded()');
}

/**
 * The columns that are kept out of the log where the WAL is read now. What a transaction claims to
 * have said counts once the catalog has it. Until then, which is as long as its commit waits for a
 * standby, everything that is kept out by its word or without it stays out.
 */
export class Exclusions {
  readonly #history: ExclusionHistory;
  #columns: readonly string[];
  #unseen: StoredExclusions['unseen'];
  #isExcluded: ReturnType<typeof excludedColumns> = () => false;

  private constructor(history: ExclusionHistory, stored: StoredExclusions) {
    this.#history = history;
    this.#columns = stored.columns;
    this.#unseen = stored.unseen;
    this.#apply();
  }

  /** @param stored of a log that goes on where it ended; undefined for one that begins at `lsn` */
  static async open(
    history: ExclusionHistory,
    { stored, lsn }: { readonly stored: StoredExclusions | undefined; readonly lsn: bigint },
  ): Promise<Exclusions> {
    const begun = stored ?? { columns: await history.before(lsn), unseen: [] };
    const exclusions = new Exclusions(history, begun);
    await exclusions.#settle();
    return exclusions;
  }

  get stored(): StoredExclusions {
    return { columns: this.#columns, unseen: this.#unseen };
  }

  isExcluded(schema: string, table: string, column: string): boolean {
    return this.#isExcluded(schema, table, column);
  }

  /**
   * Of the columns that a transaction in the WAL claims to have said: those that hold within it.
   * Its commit is seen a moment after it is written; one that waits for a standby is believed.
   */
  async heldWithin(xid: bigint, columns: readonly string[]): Promise<readonly string[]> {
    for (let waited = 0; ; waited += seenPollMs) {
      const word = await this.#history.wordOf(xid);
      if (word.kind === 'nothing') return [];
      if (word.kind === 'said' || waited >= seenWaitMs) return columns;
      await setTimeout(seenPollMs);
    }
  }

  /** A transaction commits that claims to have said which they are. */
  async claimed(xid: bigint, columns: readonly string[]): Promise<void> {
    this.#unseen = [...this.#unseen, { xid: String(xid), columns }];
    await this.#settle();
  }

  /** Whether a word can be seen by now that could not be: then they are to be opened again. */
  async isOutdated(): Promise<boolean> {
    const [first] = this.#unseen;
    return first !== undefined && (await this.#history.wordOf(BigInt(first.xid))).kind !== 'unseen';
  }

  async #settle(): Promise<void> {
    for (const { xid } of this.#unseen) {
      const word = await this.#history.wordOf(BigInt(xid));
      if (word.kind === 'unseen') break;
      if (word.kind === 'said') this.#columns = word.columns;
      this.#unseen = this.#unseen.slice(1);
    }
    this.#apply();
  }

  #apply(): void {
    const claims = this.#unseen.flatMap(({ columns }) => columns);
    this.#isExcluded = excludedColumns([...this.#columns, ...claims]);
  }
}
