import type { ChangePosition } from '../contracts/change.ts';
import { logDamaged } from '../core/errors/change-log.ts';
import { failpoint } from '../core/failpoint.ts';
import { parseLsn, printLsn } from '../core/lsn.ts';
import type { LogStore } from './log-store.ts';

/**
 * Where readers of this node stand, in the log itself: written with every batch, so that a restart
 * repeats one batch at most. What survives the disk is in the catalog, up to a second older.
 */
export class LocalCursors {
  readonly #store: LogStore;

  constructor(store: LogStore) {
    this.#store = store;
  }

  read(reader: string): ChangePosition | undefined {
    const bytes = this.#store.cursors.get(Buffer.from(reader));
    if (bytes === undefined) return undefined;
    const { epoch, lsn, seq } = JSON.parse(bytes.toString('utf8')) as {
      readonly epoch: number;
      readonly lsn: string;
      readonly seq: number;
    };
    const parsed = parseLsn(lsn);
    if (parsed === undefined) throw logDamaged(`The cursor of reader "${reader}" has no LSN.`);
    return { epoch, lsn: parsed, seq };
  }

  /** Resolves when it survives this process. */
  async write(reader: string, { epoch, lsn, seq }: ChangePosition): Promise<void> {
    const bytes = Buffer.from(JSON.stringify({ epoch, lsn: printLsn(lsn), seq }));
    failpoint('capture.cursor');
    await this.#store.cursors.put(Buffer.from(reader), bytes).catch(async (error: unknown) => {
      // LMDB tells the reason apart from the failure, and nobody else waits for it.
      const { commitError } = error as { readonly commitError?: Promise<unknown> };
      throw await Promise.resolve(commitError).then(
        () => error,
        (cause: unknown) => cause,
      );
    });
  }

  async remove(reader: string): Promise<void> {
    await this.#store.cursors.remove(Buffer.from(reader));
  }
}
