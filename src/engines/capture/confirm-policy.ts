import { comparePositions } from '../../contracts/change.ts';

export type ConfirmOptions = {
  /** `delivered` waits for readers, `logged` only for the disk. */
  readonly confirm: 'delivered' | 'logged';
  /** How much WAL readers may hold in the slot, bytes. */
  readonly maxSlotLagBytes: bigint;
  /** How long a failing reader may hold it, ms. */
  readonly holdForMs: number;
};

/** Where a reader stands and how it is. */
export type HoldingReader = {
  readonly isEnabled: boolean;
  readonly state: string;
  readonly epoch: number;
  readonly lsn: bigint;
  readonly seq: number;
  readonly failingForMs: number | undefined;
};

/**
 * Up to where the slot may forget (design, idea 3): what is durable in the log and was passed by
 * every enabled, healthy reader, but never more than the allowed lag behind what is durable.
 */
export function confirmableLsn(facts: {
  readonly durableLsn: bigint;
  readonly epoch: number;
  /** The last change of the log: who has it holds nothing. LSN 0 when there is none. */
  readonly last: { readonly lsn: bigint; readonly seq: number };
  readonly readers: readonly HoldingReader[];
  readonly options: ConfirmOptions;
}): bigint {
  const { durableLsn, options } = facts;
  if (options.confirm === 'logged') return durableLsn;
  let confirmable = durableLsn;
  for (const reader of facts.readers) {
    if (holds(reader, facts) && reader.lsn < confirmable) confirmable = reader.lsn;
  }
  const leastLsn = durableLsn - options.maxSlotLagBytes;
  return confirmable < leastLsn ? leastLsn : confirmable;
}

function holds(
  reader: HoldingReader,
  facts: {
    readonly epoch: number;
    readonly last: { readonly lsn: bigint; readonly seq: number };
    readonly options: ConfirmOptions;
  },
): boolean {
  const { epoch, last, options } = facts;
  if (!reader.isEnabled || reader.state === 'gap' || reader.epoch !== epoch) return false;
  if ((reader.failingForMs ?? 0) > options.holdForMs) return false;
  return comparePositions(reader, { epoch, ...last }) < 0;
}
