import type { CaptureReport } from '../contracts/capture-metrics.ts';

/** What the HTTP endpoints show of the node they run on. Whoever starts them provides it. */
export interface NodeView {
  /** The parts of the node as they are now. */
  parts(): readonly PartState[];
  /** The captures this node runs, or stands by for. */
  captures(): readonly CaptureState[];
  /** Whether the upstream would serve a client now; asked for each `/ready`. Never rejects. */
  upstream(): Promise<UpstreamState>;
  /** The text of a Prometheus scrape of all processes. */
  metrics(): Promise<string>;
}

/** A role or the embedded Postgres, all its processes taken together. */
export type PartState = {
  readonly name: string;
  /** `silent`: it runs and does not answer the supervisor. */
  readonly state: 'starting' | 'up' | 'silent' | 'restarting' | 'draining';
  /** How often one of its processes ended and was started again. */
  readonly restarts: number;
  /** Of the processes that run now. */
  readonly pids: readonly number[];
  /** Those of them that do not answer the supervisor. */
  readonly silentPids: readonly number[];
};

/** A capture as its engine said, or `unknown` while nobody can ask that. */
export type CaptureState = Omit<CaptureReport, 'state'> & {
  readonly state: CaptureReport['state'] | 'unknown';
};

export type UpstreamState =
  | { readonly isServing: true }
  | { readonly isServing: false; readonly reason: string };
