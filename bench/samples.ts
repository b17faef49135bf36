import type { MeasuredPeer } from './suite.ts';

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between the two neighbours, where there is no value at that place. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (above - below) * (place - Math.floor(place));
}

/** Ours beside a peer's, as pairs of neighbours in time. */
export function against(
  label: string,
  samples: { readonly ours: readonly number[]; readonly peer: readonly number[] },
): MeasuredPeer {
  const ratios = samples.ours.map((sample, index) => sample / samples.peer[index]!);
  return {
    label,
    value: median(samples.peer),
    ratio: median(ratios),
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
  };
}
