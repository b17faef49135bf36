import type { EpochBounds, LogBounds, ReadForward } from '../../contracts/log-reader.ts';

/** Between an epoch that has ended and the next one, changes may be missing. */
export type Gap = { readonly ended: EpochBounds; readonly begun: EpochBounds };

/** What was read: behind an epoch, up to another. */
export type EpochSpan = { readonly after: number; readonly through: number };

/** Oldest first. */
export function gapsIn({ epochs }: LogBounds, { after, through }: EpochSpan): readonly Gap[] {
  return epochs.flatMap((begun, index) => {
    const ended = epochs[index - 1];
    const isIn = begun.epoch > after && begun.epoch <= through;
    return isIn && ended !== undefined ? [{ ended, begun }] : [];
  });
}

/** The epoch a read begins in. */
export function epochOf(from: ReadForward['from'], { epochs, epoch }: LogBounds): number {
  switch (from.kind) {
    case 'start':
      return epochs[0]?.epoch ?? epoch;
    case 'after':
      return from.position.epoch;
    case 'at':
      return from.epoch;
  }
}
