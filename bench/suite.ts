/** What the command line asks of a suite. */
export type SuiteOptions = {
  readonly rows: number;
  /** Measured runs of each side. */
  readonly runs: number;
  /** The comparisons to make, as the suite names them. */
  readonly names: readonly string[];
  /** Of an existing server to measure on; without it an embedded one is started. */
  readonly upstream: string | undefined;
};

/** One SQL statement, what to call it in a table, and the names of the columns it answers. */
export type Statement = {
  readonly label: string;
  readonly sql: string;
  readonly columns: readonly string[];
};

/** Two ways to the same end: a statement for HeliosDB, and what it is held against. */
export type Comparison = {
  readonly name: string;
  readonly ours: Statement;
  /** The same written by hand, in every form that may be the fastest; the fastest one is taken. */
  readonly peers: readonly [Statement, ...Statement[]];
  /** Whether both sides have to answer the same rows, which is checked before measuring. */
  readonly isSameQuestion: boolean;
  /** The ratio of our time to the peer's that must not be exceeded; none where it only informs. */
  readonly limit: number | undefined;
};

/** What is claimed of the ratio or of our own figure. */
export type Limit = {
  readonly of: 'ratio' | 'ours';
  readonly is: 'at most' | 'at least';
  readonly value: number;
};

export type Measured = {
  readonly outcome: 'measured';
  readonly name: string;
  readonly unit: 'ms' | 'changes/s' | 'messages/s' | 'MB';
  readonly limit: Limit | undefined;
  readonly isWithinLimit: boolean;
  /** Median. */
  readonly ours: number;
  /** What it is held against; undefined for a figure that stands alone. */
  readonly peer: MeasuredPeer | undefined;
  /** In the order they were taken: ours, peer, ours, peer. */
  readonly samples: { readonly ours: readonly number[]; readonly peer: readonly number[] };
  /** In a few words, what else the reader of a table should see. */
  readonly remark: string;
  /** What else was found out, for the JSON. */
  readonly details: Readonly<Record<string, unknown>>;
};

export type MeasuredPeer = {
  readonly label: string;
  /** Median. */
  readonly value: number;
  /** Ours to the peer's, median of the ratios pair by pair. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
};

export type ComparisonResult =
  | Measured
  /** Both sides answered, but not the same rows. */
  | { readonly outcome: 'differs'; readonly name: string; readonly detail: string }
  /** A program it needs is not on this machine. */
  | { readonly outcome: 'skipped'; readonly name: string; readonly detail: string }
  | { readonly outcome: 'failed'; readonly name: string; readonly detail: string };

/** What figures mean nothing without. */
export type ServerFacts = {
  readonly version: string;
  readonly isEmbedded: boolean;
  /** What plans depend on most, and every other such setting that is not the default. */
  readonly settings: Readonly<Record<string, string>>;
};

export type SuiteRun = {
  readonly server: ServerFacts;
  readonly results: readonly ComparisonResult[];
};

/** A column of the table of a suite. */
export type Column = {
  readonly title: string;
  readonly width: number;
  /** Words stand left, figures right. */
  readonly holds: 'words' | 'figures';
  cell(result: Measured): string;
};

/** A family of claims that one command measures. */
export interface Suite {
  readonly name: string;
  readonly about: string;
  readonly defaultRows: number;
  /** Of `--quick`, where the figures mean nothing. */
  readonly quickRows: number;
  readonly columns: readonly Column[];
  /** What it compares, in order. */
  names(): readonly string[];
  /** Calls `report` with each result as soon as it is there, in the order of the answer. */
  run(options: SuiteOptions, report: (result: ComparisonResult) => void): Promise<SuiteRun>;
}
