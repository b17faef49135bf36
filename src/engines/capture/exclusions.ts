import { setTimeout } from 'node:timers/promises';
import type { ExclusionHistory } from '../../catalog/exclusion-history.ts';
import type { StoredExclusions } from '../../changelog/stored-exclusions.ts';
import type { RelationMessage } from '../../protocol/pgoutput/relation.ts';
import { ExcludedNames, type ExcludedOfRelation, excludedOf } from './excluded-columns.ts';
import { seenPollMs, seenWaitMs } from './limits.ts';

/**
 * The columns that are kept out of the log where the WAL is read now. What a transaction claims to
 * have said counts once the catalog has it. Until then, which is as long as its commit waits for a
 * standby, everything that is kept out by its word or without it stays out.
 */
export class Exclusions {
  readonly #history: ExclusionHistory;
  #columns: readonly string[];
  #unseen: StoredExclusions['unseen'];
  #names: ExcludedNames = new ExcludedNames([]);

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

  /**
   * Which columns of a relation are kept out, as it is announced in the WAL. Asks the catalog,
   * unless none is at all.
   */
  async of(relation: RelationMessage, walLsn: bigint): Promise<ExcludedOfRelation> {
    if (this.#names.isEmpty) return { columns: new Set(), isGuess: false };
    let now = await this.#history.tableNow(relation.oid);
    if (now.isNew) {
      await this.remember();
      now = await this.#history.tableNow(relation.oid);
    }
    return excludedOf(relation, this.#names, now, walLsn);
  }

  /** Notes which columns the names mean now, so that they stay out when they are renamed. */
  remember(): Promise<void> {
    return this.#history.remember();
  }

  /**
   * A transaction commits that claims to have said which they are. Answers whether others are out
   * by now.
   */
  async claimed(xid: bigint, columns: readonly string[]): Promise<boolean> {
    const before = this.#said();
    this.#unseen = [...this.#unseen, { xid: String(xid), columns }];
    await this.#settle();
    // Others see a commit a moment after it is in the WAL; one that waits for a standby much later.
    for (let waited = 0; this.#unseen.length === 1 && waited < seenWaitMs; waited += seenPollMs) {
      await setTimeout(seenPollMs);
      await this.#settle();
    }
    return this.#said() !== before;
  }

  #said(): string {
    return JSON.stringify([this.#columns, this.#unseen.map(({ columns }) => columns)]);
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
    this.#names = new ExcludedNames([...this.#columns, ...claims]);
  }
}
