/** How the capture of a database is, as this node sees it. */
export type CaptureReport = {
  readonly database: string;
  /**
   * `off`: not wanted. `standby`: another node does it. `stopped`: somebody has to do something.
   * `failing`: it is tried again.
   */
  readonly state:
    | 'connecting'
    | 'off'
    | 'standby'
    | 'starting'
    | 'streaming'
    | 'stopped'
    | 'failing';
  readonly error:
    | { readonly code: string; readonly message: string; readonly hint: string | undefined }
    | undefined;
};

/**
 * What the owner of a capture measures, once a second while it goes on, else at each attempt.
 * Undefined: it is not there, or not known.
 */
export type CaptureMeasure = {
  readonly epoch: number | undefined;
  readonly logBytes: number | undefined;
  readonly logChanges: number | undefined;
  /** WAL that the server has written and the log does not have, bytes. */
  readonly lagBytes: number | undefined;
  /** WAL that the slot makes the server keep, bytes. */
  readonly retainedBytes: number | undefined;
  readonly readers: number | undefined;
};

/** What capture counts; `database` is a label. It never throws. */
export interface CaptureMetrics {
  /** That many changes were appended and can be read now. */
  appended(database: string, changes: number): void;
  /** Undefined: nothing can be measured now. */
  measured(database: string, measure: CaptureMeasure | undefined): void;
  /** Its state changed; where nothing is captured by this node, nothing is measured any more. */
  reported(report: CaptureReport): void;
  /** Capture stopped with this SQLSTATE; told once, however often it is tried again in vain. */
  failed(database: string, code: string): void;
}
