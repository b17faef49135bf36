import { snapshotOnStandby } from '../core/errors/snapshot.ts';
import { walSampleGrace, walSamplesMax } from '../core/limits.ts';
import { type Lsn, parseLsn } from '../core/lsn.ts';
import type { TextSession } from '../postgres/text-session.ts';
import { SnapshotVisibility } from './snapshot-visibility.ts';

/** Every transaction whose id is `nextXid` or greater commits at `lsn` or behind it. */
export type WalSample = {
  readonly lsn: Lsn;
  readonly nextXid: bigint;
};

/**
 * What a snapshot asks of whoever keeps the change log. The log must hold everything from the
 * sample's LSN on when it answers, and must not drop it while a reader is registered there.
 */
export interface WalSamples {
  /** All samples are of this epoch of the log. */
  readonly epoch: number;
  /** The latest sample whose `nextXid` is at most this id; undefined when all are later. */
  atOrBefore(xmin: bigint): WalSample | undefined;
}

/** A sample and the oldest transaction that was in progress when it was taken. */
export type TakenSample = WalSample & { readonly xmin: bigint };

/**
 * Takes a sample. The order is what makes it true: first the LSN, then, in a statement of its own,
 * the id the next transaction will get. A transaction with that id or a greater one begins after
 * both, so all it writes is behind the LSN. `pg_snapshot_xmax` would not do for the id: it is one
 * more than the last transaction that *ended*, and one with a greater id may have written its
 * commit already and not be over, for instance while it waits for a synchronous standby.
 * `age(xid)` is the distance to the very counter, without using up an id. The session must not be
 * in a transaction, within which the counter would stand still.
 */
export async function takeWalSample(session: TextSession): Promise<TakenSample> {
  const first = await session.query(
    `SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END`,
  );
  const lsn = parseLsn(first[0]?.[0] ?? '');
  if (lsn === undefined) throw snapshotOnStandby();
  const second = await session.query(`SELECT age(xid '3'), pg_current_snapshot()`);
  const [distance, snapshot] = second[0] as readonly [string, string];
  const { xmin, xmax } = SnapshotVisibility.parse(snapshot);
  return { lsn, nextXid: widenXid(3n + BigInt(distance), xmax), xmin };
}

/** The least 64-bit id with these low 32 bits that is not before `atLeast`. */
export function widenXid(xid: bigint, atLeast: bigint): bigint {
  return atLeast + BigInt.asUintN(32, xid - atLeast);
}

/** Keeps the samples that may still be asked for; one per captured database and epoch. */
export class WalSampleRecorder implements WalSamples {
  readonly epoch: number;
  #samples: WalSample[];
  /** Of the last samples, oldest first. */
  readonly #xmins: bigint[] = [];

  constructor(epoch: number, samples: readonly WalSample[] = []) {
    this.epoch = epoch;
    this.#samples = [...samples];
  }

  /** In the order they were taken. */
  add({ lsn, nextXid, xmin }: TakenSample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && (lsn < last.lsn || nextXid < last.nextXid)) {
      throw new RangeError('samples of the WAL are added in the order they were taken');
    }
    // Nothing was written since: the older one says the same of more transactions.
    if (last?.lsn !== lsn) this.#samples.push({ lsn, nextXid });
    this.#xmins.push(xmin);
    if (this.#xmins.length > walSampleGrace) this.#xmins.shift();
    // No later snapshot has an older xmin. But one that was taken a moment ago may not have asked
    // yet, so it is the xmin of some samples ago that decides what is still needed.
    const oldest = this.#xmins[0] ?? xmin;
    const needed = this.#samples.findLastIndex((sample) => sample.nextXid <= oldest);
    if (needed > 0) this.#samples.splice(0, needed);
    if (this.#samples.length > walSamplesMax) this.#thinOut();
  }

  atOrBefore(xmin: bigint): WalSample | undefined {
    return this.#samples.findLast((sample) => sample.nextXid <= xmin);
  }

  /** Oldest first: where the log must be kept from, and what to store to go on after a restart. */
  samples(): readonly WalSample[] {
    return this.#samples;
  }

  /** Any sample is true, so that leaving some out only makes a later start a little earlier. */
  #thinOut(): void {
    const half = this.#samples.length >> 1;
    this.#samples = this.#samples.filter((_, index) => index >= half || index % 2 === 0);
  }
}
