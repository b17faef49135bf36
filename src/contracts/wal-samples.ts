/**
 * From where a change log has to be applied to the rows of a snapshot. Whoever captures looks once
 * a second at how far the WAL is and which id the next transaction will get.
 */

/** Every transaction whose id is `nextXid` or greater commits at `lsn` or behind it. */
export type WalSample = {
  readonly lsn: bigint;
  readonly nextXid: bigint;
};

/**
 * What a snapshot asks of a change log. When it answers, the log has everything from the sample's
 * LSN on, or will have; retention may remove it unless a reader is registered there.
 */
export interface WalSamples {
  /**
   * The latest sample whose `nextXid` is at most this id; undefined when all are later. With it the
   * epoch that is being written, which it is of.
   */
  walSample(xmin: bigint): Promise<WalSampleAnswer>;
}

export type WalSampleAnswer = {
  readonly epoch: number;
  readonly sample: WalSample | undefined;
};

/** The latest of these, which are in the order they were taken, that answers for `xmin`. */
export function sampleAtOrBefore(
  samples: readonly WalSample[],
  xmin: bigint,
): WalSample | undefined {
  return samples.findLast((sample) => sample.nextXid <= xmin);
}
