import {
  sampleAtOrBefore,
  type WalSample,
  type WalSampleAnswer,
  type WalSamples,
} from '../contracts/wal-samples.ts';
import { snapshotOnStandby } from '../core/errors/snapshot.ts';
import { walSampleGrace, walSamplesMax } from '../core/limits.ts';
import { parseLsn } from '../core/lsn.ts';
import { xidFrom } from '../core/xid.ts';
import type { Connection } from '../postgres/connection.ts';
import { SnapshotVisibility } from './snapshot-visibility.ts';

/** A sample and the oldest transaction that was in progress when it was taken. */
export type TakenSample = WalSample & { readonly xmin: bigint };

/**
 * Takes a sample. The order is what makes it true: first the LSN, then, in a statement of its own,
 * the id the next transaction will get. A transaction with that id or a greater one begins after
 * both, so all it writes is behind the LSN. `pg_snapshot_xmax` would not do for the id: it is one
 * more than the last transaction that *ended*, and one with a greater id may have written its
 * commit already and not be over, for instance while it waits for a synchronous standby.
 * `age(xid)` is the distance to the very counter, without using up an id. And the LSN is one the
 * server has on its disk: after a crash it writes what comes next behind that, though not behind
 * all that it had in memory. The connection must not be in a transaction, within which the counter
 * would stand still.
 */
export async function takeWalSample(connection: Connection): Promise<TakenSample> {
  const [first] = await connection.query(
    `SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery()
                 THEN pg_catalog.pg_current_wal_flush_lsn() END::text AS lsn`,
  );
  const lsn = parseLsn(String(first?.['lsn']));
  if (lsn === undefined) throw snapshotOnStandby();
  const [second] = await connection.query(
    `SELECT pg_catalog.age(xid '3') AS distance,
            pg_catalog.pg_current_snapshot()::text AS snapshot`,
  );
  const { xmin, xmax } = SnapshotVisibility.parse(String(second?.['snapshot']));
  return { lsn, nextXid: xidFrom(3n + BigInt(Number(second?.['distance'])), xmax), xmin };
}

/** Keeps the samples that may still be asked for; one per captured database and epoch. */
export class WalSampleRecorder implements WalSamples {
  readonly #epoch: number;
  #samples: WalSample[];
  /** Of the last samples, oldest first. */
  readonly #xmins: bigint[] = [];

  constructor(epoch: number, samples: readonly WalSample[] = []) {
    this.#epoch = epoch;
    this.#samples = [...samples];
  }

  /** In the order they were taken. True when the samples are others now. */
  add({ lsn, nextXid, xmin }: TakenSample): boolean {
    // A server that lost what it had on its disk has another history behind there.
    const kept = this.#samples.findLastIndex((sample) => sample.lsn <= lsn) + 1;
    const lost = this.#samples.splice(kept).length;
    const last = this.#samples.at(-1);
    // Nothing was written since: the older one says the same of more transactions.
    const isNew = last?.lsn !== lsn;
    if (isNew) this.#samples.push({ lsn, nextXid });
    this.#xmins.push(xmin);
    if (this.#xmins.length > walSampleGrace) this.#xmins.shift();
    const gone = this.#removeUnneeded();
    if (this.#samples.length > walSamplesMax) this.#thinOut();
    return isNew || gone > 0 || lost > 0;
  }

  async walSample(xmin: bigint): Promise<WalSampleAnswer> {
    return { epoch: this.#epoch, sample: sampleAtOrBefore(this.#samples, xmin) };
  }

  /** Oldest first: where the log must be kept from, and what to store to go on after a restart. */
  samples(): readonly WalSample[] {
    return this.#samples;
  }

  /**
   * No later snapshot has an older xmin. But one that was taken a moment ago may not have asked
   * yet, also when somebody else sampled then, so it is the xmin of some samples ago that decides.
   */
  #removeUnneeded(): number {
    const [oldest] = this.#xmins;
    if (oldest === undefined || this.#xmins.length < walSampleGrace) return 0;
    const needed = this.#samples.findLastIndex((sample) => sample.nextXid <= oldest);
    return this.#samples.splice(0, Math.max(0, needed)).length;
  }

  /** Any sample is true, so that leaving some out only makes a later start a little earlier. */
  #thinOut(): void {
    const half = this.#samples.length >> 1;
    this.#samples = this.#samples.filter((_, index) => index >= half || index % 2 === 0);
  }
}
