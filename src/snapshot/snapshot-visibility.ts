import { snapshotStateInvalid } from '../core/errors/snapshot.ts';

/**
 * Which transactions a snapshot of Postgres sees, from the text of a `pg_snapshot`. Only ids of
 * top-level transactions have meaning here, which is what a change carries. A transaction that was
 * rolled back counts as seen; it has no changes.
 */
export class SnapshotVisibility {
  /** The oldest transaction that was in progress: all before it are seen. */
  readonly xmin: bigint;
  /** From here on no transaction had ended. */
  readonly xmax: bigint;
  readonly #inProgress: ReadonlySet<bigint>;

  private constructor(xmin: bigint, xmax: bigint, inProgress: ReadonlySet<bigint>) {
    this.xmin = xmin;
    this.xmax = xmax;
    this.#inProgress = inProgress;
  }

  /** `xmin:xmax:xip,xip,...`, as pg_current_snapshot() prints it. */
  static parse(text: string): SnapshotVisibility {
    const match = /^(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)$/.exec(text);
    if (match === null) throw snapshotStateInvalid(`"${text}" is not a snapshot.`);
    const [, xmin = '', xmax = '', list = ''] = match;
    const inProgress = list === '' ? [] : list.split(',').map(BigInt);
    return new SnapshotVisibility(BigInt(xmin), BigInt(xmax), new Set(inProgress));
  }

  /**
   * The one rule: from the log exactly the transactions that are not visible are applied to what
   * was read in this snapshot.
   */
  isVisible(xid: bigint): boolean {
    if (xid < this.xmin) return true;
    return xid < this.xmax && !this.#inProgress.has(xid);
  }
}
