import { against, median } from '../samples.ts';
import type { ComparisonResult, Limit, Measured, SuiteOptions } from '../suite.ts';
import type { CaptureServer } from './capture-server.ts';

export type PartRun = {
  readonly server: CaptureServer;
  readonly options: SuiteOptions;
  readonly report: (result: ComparisonResult) => void;
};

/** A few measurements that need the same things made first. */
export type Part = {
  readonly names: readonly string[];
  /** Makes those of its measurements that `options.names` wants, at least one. */
  run(run: PartRun): Promise<void>;
};

/** A program that is missing, named. */
export class ProgramMissing extends Error {}

/** What throws is a result too, of everything that was to be measured. */
export async function attempt(
  names: readonly string[],
  report: (result: ComparisonResult) => void,
  measure: () => Promise<void>,
): Promise<void> {
  try {
    await measure();
  } catch (error) {
    const outcome = error instanceof ProgramMissing ? 'skipped' : 'failed';
    const detail = error instanceof Error ? error.message : String(error);
    for (const name of names) report({ outcome, name, detail });
  }
}

export type Figure = {
  readonly name: string;
  readonly unit: Measured['unit'];
  readonly ours: readonly number[];
  readonly peer?: { readonly label: string; readonly values: readonly number[] };
  readonly limit?: Limit;
  readonly remark?: string;
  readonly details?: Readonly<Record<string, unknown>>;
};

export function measured(figure: Figure): Measured {
  const { name, unit, ours, limit, remark = '', details = {} } = figure;
  const samples = { ours, peer: figure.peer?.values ?? [] };
  const peer = figure.peer === undefined ? undefined : against(figure.peer.label, samples);
  const value = limit?.of === 'ratio' ? peer?.ratio : median(ours);
  return {
    outcome: 'measured',
    name,
    unit,
    limit,
    isWithinLimit: isWithin(value, limit),
    ours: median(ours),
    peer,
    samples,
    remark,
    details,
  };
}

function isWithin(value: number | undefined, limit: Limit | undefined): boolean {
  if (limit === undefined || value === undefined) return true;
  return limit.is === 'at most' ? value <= limit.value : value >= limit.value;
}
